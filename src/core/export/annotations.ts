import { CONFIGURATION, MODEL, NODE_CONFIGURATION, SHARDED_DIM, SHARDING, SIMPLE_DIM } from './fields';
import { MessageWriter } from './wire';

/** The one device configuration that an exported model declares. */
export const CONFIGURATION_NAME = 'memorianova';

/** Where one tensor of a node lies: whole on each of `devices`, or cut along `axis` into equal parts, one each. */
export interface Placement {
  readonly tensor: string;
  /** Positions in the configuration's device list. */
  readonly devices: readonly number[];
  /** ONNX's annotations have no words for uneven parts: those are written as exact ranges in the metadata. */
  readonly equalParts?: { readonly axis: number; readonly length: number };
}

/** Record of `ModelProto.configuration`. */
export function configurationRecord(devices: readonly string[]): Uint8Array {
  const message = new MessageWriter().text(CONFIGURATION.name, CONFIGURATION_NAME);
  message.int(CONFIGURATION.deviceCount, devices.length);
  for (const device of devices) message.text(CONFIGURATION.device, device);
  return new MessageWriter().message(MODEL.configuration, message).finish();
}

/** Body of one `NodeDeviceConfigurationProto`. */
export function nodeConfiguration(placements: readonly Placement[]): Uint8Array {
  const message = new MessageWriter().text(NODE_CONFIGURATION.configuration, CONFIGURATION_NAME);
  for (const placement of placements) message.message(NODE_CONFIGURATION.sharding, shardingSpec(placement));
  return message.finish();
}

function shardingSpec(placement: Placement): MessageWriter {
  const message = new MessageWriter().text(SHARDING.tensor, placement.tensor);
  for (const device of placement.devices) message.int(SHARDING.device, device);
  if (placement.equalParts !== undefined) {
    const simple = new MessageWriter()
      .int(SIMPLE_DIM.value, placement.equalParts.length)
      .int(SIMPLE_DIM.shards, placement.devices.length);
    message.message(
      SHARDING.dims,
      new MessageWriter()
        .int(SHARDED_DIM.axis, placement.equalParts.axis)
        .message(SHARDED_DIM.simple, simple),
    );
  }
  return message;
}

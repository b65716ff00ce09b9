import { InputError } from '../graph/problem';
import type { ByteSource } from './model';

const HEAD = 512;

interface Look {
  readonly text: string;
  readonly isText: boolean;
  readonly size: number;
}

/** What else a file may be that someone opens as a model: a test and a sentence each, the first that fits. */
const OTHERS: readonly (readonly [(look: Look) => boolean, string])[] = [
  [(look) => look.size === 0, 'The file is empty.'],
  [
    ({ text }) => text.startsWith('version https://git-lfs.github.com'),
    'This is a Git LFS pointer, not the model itself: fetch the model with "git lfs pull".',
  ],
  [
    ({ text }) => /^\s*<(!doctype|html|\?xml)/i.test(text),
    'This is a web page, not an ONNX model: download the model itself.',
  ],
  [({ text }) => text.slice(4, 8) === 'TFL3', 'This is a TensorFlow Lite model: convert it to ONNX first.'],
  [
    ({ text }) => text.slice(4, 8) === 'ORTM',
    'This is a model in the ORT format: open the .onnx file that it was made from.',
  ],
  [({ text }) => text.startsWith('GGUF'), 'This is a GGUF model: convert it to ONNX first.'],
  [
    ({ text }) => text.startsWith('\x89HDF'),
    'This is an HDF5 file (Keras?): convert the model to ONNX first.',
  ],
  [
    ({ text }) => text.startsWith('PK\x03\x04'),
    'This is a ZIP archive (a PyTorch file is one): unpack it or export the model to ONNX.',
  ],
  [({ text }) => text.startsWith('\x1f\x8b'), 'This is a gzip archive: unpack it first.'],
  [
    ({ text }) => text.startsWith('\x80\x02') || text.startsWith('\x80\x04'),
    'This is a Python pickle (PyTorch?): export the model to ONNX first.',
  ],
  [
    ({ text }) => /^.{7}\0\{"/s.test(text),
    'This is a safetensors file, which holds weights only: open the .onnx model.',
  ],
  [({ isText, text }) => isText && /^\s*[{[]/.test(text), 'This is a JSON file, not an ONNX model.'],
  [({ isText }) => isText, 'This is a text file, not an ONNX model.'],
];

/** The sentence for a file that is something else than a model, or `undefined` where nothing gives it away. */
export function notAModel(source: ByteSource): InputError | undefined {
  const bytes = source.read(0, Math.min(HEAD, source.size));
  const text = String.fromCharCode(...bytes);
  const isText =
    bytes.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13) && !text.includes('\x7f');
  const look: Look = { text, isText, size: source.size };
  const found = OTHERS.find(([fits]) => fits(look));
  return found && new InputError(found[1], 0);
}

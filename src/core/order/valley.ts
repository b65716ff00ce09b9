import type { Piece } from './piece';

/**
 * Finds, between two states of a piece, one with the least live memory, as a minimum cut.
 *
 * Let T be a state and X a later one, D the operators between them. Every state between them is T with a subset
 * A of D that contains the predecessors of its members. A storage is live at T + A when some but not all of its
 * members have run, so its bytes are paid for by a hyperedge that A cuts: with `in` and `out` nodes,
 *
 *     operator --inf--> in --bytes--> out --inf--> operator          operator --inf--> its predecessors
 *
 * members before T pull `in` to the source, members after X pull `out` to the sink.
 */
export class ValleyFinder {
  private readonly localOperator: Int32Array;
  private readonly localStorage: Int32Array;
  private storages: Int32Array;
  private inside: Int32Array;
  private head = new Int32Array(256);
  private next = new Int32Array(1024);
  private target = new Int32Array(1024);
  private room = new Float64Array(1024);
  private edges = 0;
  private level = new Int32Array(256);
  private cursor = new Int32Array(256);
  private queue = new Int32Array(256);
  private readonly path: number[] = [];

  constructor(private readonly piece: Piece) {
    this.localOperator = new Int32Array(piece.operatorCount).fill(-1);
    this.localStorage = new Int32Array(piece.bytes.length).fill(-1);
    this.storages = new Int32Array(piece.bytes.length);
    this.inside = new Int32Array(piece.bytes.length);
  }

  /**
   * `between` holds D in an order in which they ran; `touched` is the count of members run per storage at X.
   * Returns -1 where X itself has the least live memory; else marks in `kept` (one per entry of `between`) the
   * operators of a state of least live memory and returns how many they are.
   */
  find(between: Int32Array, touched: Int32Array, kept: Uint8Array): number {
    const storageCount = this.collect(between);
    const atX = this.build(between, storageCount, touched);
    const operators = between.length;
    const flow = this.maximumFlow(2 + operators + 2 * storageCount, atX);
    if (flow >= atX) {
      this.release(between, storageCount);
      return -1;
    }
    let count = 0;
    for (let at = 0; at < operators; at++) {
      kept[at] = this.level[2 + at] >= 0 ? 1 : 0;
      count += kept[at];
    }
    this.release(between, storageCount);
    return count;
  }

  private collect(between: Int32Array): number {
    const { touches } = this.piece;
    let count = 0;
    for (let at = 0; at < between.length; at++) {
      this.localOperator[between[at]] = at;
      for (let edge = touches.start[between[at]]; edge < touches.start[between[at] + 1]; edge++) {
        const storage = touches.values[edge];
        if (this.localStorage[storage] < 0) {
          this.localStorage[storage] = count;
          this.inside[count] = 0;
          this.storages[count++] = storage;
        }
        this.inside[this.localStorage[storage]]++;
      }
    }
    return count;
  }

  private release(between: Int32Array, storageCount: number): void {
    for (const operator of between) this.localOperator[operator] = -1;
    for (let at = 0; at < storageCount; at++) this.localStorage[this.storages[at]] = -1;
  }

  /** Returns the cost of X; nodes: 0 source, 1 sink, then operators, then `in` and `out` of each storage. */
  private build(between: Int32Array, storageCount: number, touched: Int32Array): number {
    const { bytes, members, touches, predecessors } = this.piece;
    const firstStorage = 2 + between.length;
    this.reset(firstStorage + 2 * storageCount);
    let atX = 0;
    for (let at = 0; at < storageCount; at++) {
      const storage = this.storages[at];
      const before = touched[storage] - this.inside[at];
      const complete = touched[storage] === members[storage];
      if (before > 0 && !complete) continue;
      if (!complete) atX += bytes[storage];
      const into = firstStorage + 2 * at;
      this.addEdge(into, into + 1, bytes[storage]);
      if (before > 0) this.addEdge(0, into, Infinity);
      if (!complete) this.addEdge(into + 1, 1, Infinity);
    }
    for (let at = 0; at < between.length; at++) {
      const operator = between[at];
      for (let edge = touches.start[operator]; edge < touches.start[operator + 1]; edge++) {
        const local = this.localStorage[touches.values[edge]];
        const into = firstStorage + 2 * local;
        this.addEdge(2 + at, into, Infinity);
        this.addEdge(into + 1, 2 + at, Infinity);
      }
      for (let edge = predecessors.start[operator]; edge < predecessors.start[operator + 1]; edge++) {
        const local = this.localOperator[predecessors.values[edge]];
        if (local >= 0) this.addEdge(2 + at, 2 + local, Infinity);
      }
    }
    return atX;
  }

  private reset(nodes: number): void {
    if (nodes > this.head.length) {
      this.head = new Int32Array(2 * nodes);
      this.level = new Int32Array(2 * nodes);
      this.cursor = new Int32Array(2 * nodes);
      this.queue = new Int32Array(2 * nodes);
    }
    this.head.fill(-1, 0, nodes);
    this.edges = 0;
  }

  private addEdge(from: number, to: number, room: number): void {
    if (this.edges + 2 > this.target.length) this.growEdges();
    this.target[this.edges] = to;
    this.room[this.edges] = room;
    this.next[this.edges] = this.head[from];
    this.head[from] = this.edges++;
    this.target[this.edges] = from;
    this.room[this.edges] = 0;
    this.next[this.edges] = this.head[to];
    this.head[to] = this.edges++;
  }

  private growEdges(): void {
    const target = new Int32Array(2 * this.target.length);
    const next = new Int32Array(2 * this.target.length);
    const room = new Float64Array(2 * this.target.length);
    target.set(this.target);
    next.set(this.next);
    room.set(this.room);
    [this.target, this.next, this.room] = [target, next, room];
  }

  /** Dinic's algorithm, given up once `enough` flows. Afterwards `level` marks the source's side. */
  private maximumFlow(nodes: number, enough: number): number {
    let flow = 0;
    while (flow < enough && this.buildLevels(nodes)) {
      this.cursor.set(this.head.subarray(0, nodes));
      for (let more = this.push(); more > 0; more = flow < enough ? this.push() : 0) flow += more;
    }
    return flow;
  }

  private buildLevels(nodes: number): boolean {
    const { level, queue, head, next, target, room } = this;
    level.fill(-1, 0, nodes);
    level[0] = 0;
    queue[0] = 0;
    for (let at = 0, end = 1; at < end; at++) {
      for (let edge = head[queue[at]]; edge >= 0; edge = next[edge]) {
        if (room[edge] <= 0 || level[target[edge]] >= 0) continue;
        level[target[edge]] = level[queue[at]] + 1;
        queue[end++] = target[edge];
      }
    }
    return level[1] >= 0;
  }

  /** Sends bytes along one path of rising levels, found without recursion: paths can be as long as the graph. */
  private push(): number {
    const { cursor, next, target, room, level, path } = this;
    path.length = 0;
    let node = 0;
    while (node !== 1) {
      let edge = cursor[node];
      while (edge >= 0 && (room[edge] <= 0 || level[target[edge]] !== level[node] + 1)) edge = next[edge];
      cursor[node] = edge;
      if (edge >= 0) {
        path.push(edge);
        node = target[edge];
        continue;
      }
      const back = path.pop();
      if (back === undefined) return 0;
      node = target[back ^ 1];
      cursor[node] = next[back];
    }
    let pushed = Infinity;
    for (const edge of path) pushed = Math.min(pushed, room[edge]);
    for (const edge of path) {
      room[edge] -= pushed;
      room[edge ^ 1] += pushed;
    }
    return pushed;
  }
}

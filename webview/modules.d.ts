/** A worker's bundle as text; see the bundler. */
declare module 'worker:*' {
  const source: string;
  export default source;
}

declare module '*.css';

/** How the program is called where it runs: in a clone from its source, through npm; from an installed package through npx. */
export const COMMAND = import.meta.filename.endsWith('.ts') ? 'npm run -s cli --' : 'npx candlekeep';

/** How a person calls the program that is running: through npm in a clone, through npx from an installed package. */
export const COMMAND = import.meta.filename.endsWith('.ts') ? 'npm run -s cli --' : 'npx candlekeep';

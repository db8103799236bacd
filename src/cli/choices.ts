/** Values that the help and the completion of options list. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const FORMATS = ['table', 'csv', 'parquet', 'json'] as const;

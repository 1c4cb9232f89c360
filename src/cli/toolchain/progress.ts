/** How the steps of the bring-up report on themselves. */
export interface Progress {
  /** Called with what is being done now, a short text for the user. */
  readonly onStep: (text: string) => void;
  /** File that gets the whole output of every program that is run. */
  readonly logFile: string;
}

/** A step that may look for something on the internet. */
export interface DownloadProgress extends Progress {
  /** Tries again also what was found unreachable within the last hour. */
  readonly retryDownloads?: boolean;
}

import { program } from "./program";

export const { endpoints, credentials, pipeline } = program();

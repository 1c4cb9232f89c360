import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** A user of a service. */
export interface Credentials {
  readonly user: string;
  readonly password: pulumi.Output<string>;
}

/**
 * A password that is made once and then stays, encrypted, in the stack's state. Letters and digits only: it passes
 * through URLs, properties files and shells unchanged. 24 of them are 142 bits.
 */
export function newPassword(name: string, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  return new random.RandomPassword(name, { length: 24, special: false }, opts).result;
}

import type { Plugin } from "../provider/kind";
import { randomBytes, randomId } from "./bytes";
import { randomInteger, randomShuffle } from "./choice";
import { randomPet } from "./pet";
import { randomPassword, randomString } from "./text";
import { randomUuid, randomUuid4, randomUuid7 } from "./uuid";

/** The stand-in for Pulumi's random plugin, of the version of the installed SDK. */
export function randomPlugin(): Plugin<undefined> {
  return {
    name: "random",
    version: require("@pulumi/random/package.json").version,
    config: {},
    connect: () => undefined,
    kinds: {
      "random:index/randomBytes:RandomBytes": randomBytes,
      "random:index/randomId:RandomId": randomId,
      "random:index/randomInteger:RandomInteger": randomInteger,
      "random:index/randomPassword:RandomPassword": randomPassword,
      "random:index/randomPet:RandomPet": randomPet,
      "random:index/randomShuffle:RandomShuffle": randomShuffle,
      "random:index/randomString:RandomString": randomString,
      "random:index/randomUuid:RandomUuid": randomUuid,
      "random:index/randomUuid4:RandomUuid4": randomUuid4,
      "random:index/randomUuid7:RandomUuid7": randomUuid7,
    },
  };
}

import { randomInt } from "node:crypto";
import { int, string } from "../provider/schema";
import { keepers, randomKind } from "./kind";

// Traits: resource_pet.go of terraform-provider-random. The words are our own: a pet has another name anyway each time.
export const randomPet = randomKind({
  properties: {
    keepers,
    length: int({ forceNew: true, default: 2 }),
    prefix: string({ forceNew: true }),
    separator: string({ forceNew: true, default: "-" }),
  },
  generate: ({ length, prefix, separator }) => {
    const words = [prefix as string | undefined, ...petName(length as number)].filter((word) => word);
    return { id: words.join(separator as string) };
  },
});

/** One word names the animal, a second says what it is like, and all further ones how much so. */
function petName(length: number): string[] {
  const adverbCount = Math.max(0, length - 2);
  const words = Array.from({ length: adverbCount }, () => oneOf(adverbs));
  if (length > 1) words.push(oneOf(adjectives));
  return [...words, oneOf(animals)];
}

function oneOf(words: readonly string[]): string {
  return words[randomInt(words.length)] as string;
}

const animals = (
  "ant badger bat bear beaver bee bison boar camel cat cobra condor cow coyote crab crane cricket crow deer dingo " +
  "dog dolphin donkey dove duck eagle eel elk falcon ferret finch fish fox frog gecko gibbon goat goose gull hare " +
  "hawk hen heron hippo horse hyena ibex ibis jackal jaguar jay kite koala lamb lark lemur leopard lion lizard " +
  "llama lobster lynx magpie marten mink mole moose moth mouse mule newt ocelot octopus otter owl ox oyster panda " +
  "parrot pelican penguin pig pony puma quail rabbit ram rat raven robin salmon seal shark sheep shrew skunk snail " +
  "snake spider squid stork swan tapir tiger toad trout turtle viper vole walrus wasp weasel whale wolf wombat yak"
).split(" ");

const adjectives = (
  "able agile amber apt bold brave brief bright brisk broad calm clean clear clever cool cosy crisp curious deep " +
  "eager early easy even exact fair fast fine firm fleet fond free fresh full gentle glad golden good grand great " +
  "handy happy hardy honest humble ideal jolly just keen kind large lean light lively loud loyal lucky major mellow " +
  "merry mild modest neat new nice noble novel open patient plain polite proper proud quick quiet rapid rare ready " +
  "rich ripe robust round sharp shy silent simple sleek slim smart smooth sober solid sound steady still strong " +
  "subtle sunny sure sweet swift tall tame tidy tough true upright useful vast vivid warm wide wild wise witty young"
).split(" ");

const adverbs = (
  "ably almost always barely boldly briefly calmly clearly deeply duly easily equally evenly ever fairly firmly " +
  "fully gently gladly greatly hardly highly hugely justly keenly kindly largely lightly loosely mainly merely " +
  "mildly mostly nearly neatly newly nicely oddly openly partly plainly purely quickly quietly rarely really " +
  "safely seldom sharply simply slowly solely subtly surely truly usually vastly warmly wholly widely wisely"
).split(" ");

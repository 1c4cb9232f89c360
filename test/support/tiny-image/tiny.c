/*
 * The only program of the image for tests, where no image can be downloaded. What it does is its first argument:
 *   sleep                   runs until it is told to end
 *   say CODE TEXT...        prints each text on a line of its own (odd ones to stdout, even ones to stderr), ends
 *   check FILE              a health check: passes when there is such a file
 *   later SECONDS FILE      makes a file after a while, then sleeps
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(int signal) { _exit(signal == SIGTERM ? 0 : 1); }

static int sleep_on(void) {
  puts("sleeping");
  fflush(stdout);
  for (;;) pause();
}

static int say(int count, char **texts) {
  for (int i = 1; i < count; i++) fprintf(i % 2 ? stdout : stderr, "%s\n", texts[i]), fflush(NULL);
  return atoi(texts[0]);
}

static int check(const char *file) {
  int missing = access(file, F_OK);
  printf("%s is %s\n", file, missing ? "missing" : "there");
  return missing ? 1 : 0;
}

static int later(const char *seconds, const char *file) {
  sleep(atoi(seconds));
  FILE *made = fopen(file, "w");
  if (made == NULL) return perror(file), 2;
  fclose(made);
  return sleep_on();
}

int main(int count, char **arguments) {
  signal(SIGTERM, end);
  const char *what = count > 1 ? arguments[1] : "sleep";
  if (strcmp(what, "sleep") == 0) return sleep_on();
  if (strcmp(what, "say") == 0 && count > 2) return say(count - 2, arguments + 2);
  if (strcmp(what, "check") == 0 && count > 2) return check(arguments[2]);
  if (strcmp(what, "later") == 0 && count > 3) return later(arguments[2], arguments[3]);
  fprintf(stderr, "unknown: %s\n", what);
  return 64;
}

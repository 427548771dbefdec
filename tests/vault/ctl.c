// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * vaultctl: one verb to the control port of a running test vault.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "vault.h"

#define CONTROL_DEFAULT "127.0.0.1:8700"
#define TIMEOUT_S	60L /* a new RSA key takes its time where the processor is emulated */
#define RETRY_MS	100

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_NO_VAULT = 11 };

static size_t on_data(char *data, size_t size, size_t n, void *to)
{
	return fwrite(data, size, n, to);
}

/* The words after the options as one line. */
static char *line_of(int argc, char **argv)
{
	char *line = xstrdup("");

	for (int i = 0; i < argc; i++) {
		char *longer = xasprintf("%s%s%s", line, i ? " " : "", argv[i]);

		free(line);
		line = longer;
	}
	return line;
}

/* Send @line; the status of the answer, whose text goes to *@text, or 0 if nobody is there. */
static long ask(const char *where, const char *line, char **text)
{
	_cleanup_free_ char *url = xasprintf("http://%s/", where);
	size_t size;
	FILE *out = open_memstream(text, &size);
	CURL *curl = curl_easy_init();
	long status = 0;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, line);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	fclose(out);
	return status;
}

/* How long `ping --wait S` is ready to wait; other verbs do not. */
static int64_t patience_ms(int *argc, char **argv)
{
	const char *wait = !strcmp(argv[0], "ping") ? control_option(argc, argv, "wait") : NULL;

	return wait ? atoll(wait) * 1000 : 0;
}

int ctl_main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	const char *where = argc ? control_option(&argc, argv, "control") : NULL;
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *text = NULL;
	int64_t until;
	long status;

	if (!where)
		where = getenv("CMK_TESTVAULT_CONTROL");
	if (!where)
		where = CONTROL_DEFAULT;
	if (!argc) {
		fputs("usage: vaultctl [--control ADDR:PORT] VERB [WORD]...\n", stderr);
		return EXIT_REFUSED;
	}
	until = now_ms() + patience_ms(&argc, argv);
	line = line_of(argc, argv);
	for (;;) {
		status = ask(where, line, &text);
		if (status || now_ms() >= until)
			break;
		put_string(&text, NULL);
		nanosleep(&pause, NULL);
	}
	if (!status) {
		fprintf(stderr, "vaultctl: no test vault answers on %s\n", where);
		return EXIT_NO_VAULT;
	}
	if (status != 200) {
		fprintf(stderr, "vaultctl: %s\n", text);
		return EXIT_REFUSED;
	}
	fputs(text, stdout);
	return EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The judge's HTTP client.
 */
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "judge.h"

#define TIMEOUT_S 30L

static CURL *curl;
static const char *trusted;

void client_begin(const char *ca)
{
	trusted = ca;
	curl = curl_easy_init();
}

void client_end(void)
{
	curl_easy_cleanup(curl);
}

static size_t on_data(char *data, size_t size, size_t n, void *to)
{
	return fwrite(data, size, n, to);
}

static size_t on_header(char *line, size_t size, size_t n, void *to)
{
	_cleanup_free_ char *copy = xasprintf("%.*s", (int)n, line);
	char *colon = strchr(copy, ':'), *value;

	(void)size;
	if (!colon)
		return n;
	*colon = '\0';
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	value = colon + 1 + strspn(colon + 1, " ");
	value[strcspn(value, "\r\n")] = '\0';
	cJSON_AddStringToObject(to, copy, value);
	return n;
}

void client_send(struct answer *answer, const char *method, const char *url, const char *token,
		 const char *body)
{
	struct curl_slist *headers = NULL, *there = NULL;
	size_t size;
	FILE *out;

	memset(answer, 0, sizeof(*answer));
	answer->headers = cJSON_CreateObject();
	out = open_memstream(&answer->text, &size);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer->headers);
	/* Every vault is here, whatever its name. */
	there = curl_slist_append(NULL, "::127.0.0.1:443");
	if (!strncmp(url, "https:", 6))
		curl_easy_setopt(curl, CURLOPT_CONNECT_TO, there);
	if (token) {
		_cleanup_free_ char *line = xasprintf("Authorization: Bearer %s", token);

		headers = curl_slist_append(headers, line);
	}
	headers = curl_slist_append(headers,
				    "x-ms-client-request-id: 11111111-2222-4333-8444-555555555555");
	headers = curl_slist_append(headers, "Metadata: true");
	if (body) {
		headers = curl_slist_append(headers, "Content-Type: application/json");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	} else if (!strcmp(method, "POST")) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_slist_free_all(headers);
	curl_slist_free_all(there);
	fclose(out);
	answer->body = cJSON_Parse(answer->text);
}

void answer_end(struct answer *answer)
{
	free(answer->text);
	cJSON_Delete(answer->body);
	cJSON_Delete(answer->headers);
	memset(answer, 0, sizeof(*answer));
}

char *client_token(const char *resource)
{
	_cleanup_free_ char *url = xasprintf("http://169.254.169.254/metadata/identity/oauth2/token"
					     "?api-version=2018-02-01&resource=%s",
					     resource);
	struct answer answer;
	const char *token;
	char *copy;

	client_send(&answer, "GET", url, NULL, NULL);
	token = json_string(answer.body, "access_token");
	copy = token ? xstrdup(token) : NULL;
	answer_end(&answer);
	return copy;
}

bool client_control(const char *line)
{
	struct answer answer;
	bool done;

	client_send(&answer, "POST", "http://127.0.0.1:8700/", NULL, line);
	done = answer.status == 200;
	if (!done)
		printf("# control: %s: %s\n", line, answer.text);
	answer_end(&answer);
	return done;
}

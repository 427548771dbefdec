// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The client of the demo: some connections, each of which commits numbered rows one after another
 *and remembers every one that the server acknowledged. It comes back by itself after each loss, and
 *afterwards tells whether all acknowledged rows are there.
 *
 *	ledger run CONNINFO FILE WRITERS	until SIGTERM; FILE gets "<writer> <number>" for each
 *acknowledged row. Standard output gets events, JSON lines, see timeline.h ledger verify CONNINFO
 *FILE		"<acknowledged> <missing>"; exit code 1 if one is missing
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <libpq-fe.h>

#define MAX_WRITERS 16
#define SAMPLE_MS   200
#define RETRY_MS    200
#define PACE_MS	    20 /* between two commits of one connection: a load, not a benchmark */

struct writer {
	pthread_t thread;
	int id;
	const char *conninfo;
};

static FILE *acknowledged;
static pthread_mutex_t acknowledged_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int connections;
static atomic_long commits, refused;
static atomic_bool stop;

static int64_t boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* One row, committed: true if the server said so. A row whose fate is unknown is offered again. */
static bool commit_row(PGconn *conn, int writer, int64_t number)
{
	char w[16], n[24];
	const char *values[] = { w, n };
	PGresult *res;
	bool ok;

	snprintf(w, sizeof(w), "%d", writer);
	snprintf(n, sizeof(n), "%" PRId64, number);
	res = PQexecParams(conn,
			   "INSERT INTO ledger VALUES ($1::int, $2::bigint) ON CONFLICT DO NOTHING",
			   2, NULL, values, NULL, NULL, 0);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	return ok;
}

static void remember(int writer, int64_t number)
{
	pthread_mutex_lock(&acknowledged_lock);
	fprintf(acknowledged, "%d %" PRId64 "\n", writer, number);
	fflush(acknowledged);
	pthread_mutex_unlock(&acknowledged_lock);
	atomic_fetch_add(&commits, 1);
}

static void *write_rows(void *arg)
{
	struct writer *w = arg;
	int64_t number = 1;

	while (!atomic_load(&stop)) {
		PGconn *conn = PQconnectdb(w->conninfo);

		if (PQstatus(conn) != CONNECTION_OK) {
			atomic_fetch_add(&refused, 1);
			PQfinish(conn);
			sleep_ms(RETRY_MS);
			continue;
		}
		atomic_fetch_add(&connections, 1);
		while (!atomic_load(&stop) && commit_row(conn, w->id, number)) {
			remember(w->id, number++);
			sleep_ms(PACE_MS);
		}
		atomic_fetch_sub(&connections, 1);
		PQfinish(conn);
	}
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&stop, true);
}

static int run(const char *conninfo, const char *file, int n)
{
	static struct writer writers[MAX_WRITERS];
	struct sigaction sa = { .sa_handler = on_signal };

	acknowledged = fopen(file, "a");
	if (!acknowledged) {
		fprintf(stderr, "ledger: %s: %s\n", file, strerror(errno));
		return 2;
	}
	sigaction(SIGTERM, &sa, NULL);
	for (int i = 0; i < n; i++) {
		writers[i] = (struct writer){ .id = i + 1, .conninfo = conninfo };
		if (pthread_create(&writers[i].thread, NULL, write_rows, &writers[i]))
			return 2;
	}
	while (!atomic_load(&stop)) {
		printf("{\"t\":%" PRId64
		       ",\"kind\":\"client\",\"connections\":%d,\"commits\":%ld,\"refused\":%ld}\n",
		       boottime_ms(), atomic_load(&connections), atomic_load(&commits),
		       atomic_load(&refused));
		fflush(stdout);
		sleep_ms(SAMPLE_MS);
	}
	for (int i = 0; i < n; i++)
		pthread_join(writers[i].thread, NULL);
	return fclose(acknowledged) ? 2 : 0;
}

/* All rows of one writer, as a set indexed by number; numbers are dense from 1. */
static bool *rows_of(PGconn *conn, int writer, int64_t *max)
{
	char query[96];
	PGresult *res;
	bool *have = NULL;

	snprintf(query, sizeof(query),
		 "SELECT number FROM ledger WHERE writer = %d ORDER BY number", writer);
	res = PQexec(conn, query);
	if (PQresultStatus(res) == PGRES_TUPLES_OK) {
		int n = PQntuples(res);

		*max = n ? strtoll(PQgetvalue(res, n - 1, 0), NULL, 10) : 0;
		have = calloc((size_t)*max + 1, sizeof(*have));
		for (int i = 0; have && i < n; i++)
			have[strtoll(PQgetvalue(res, i, 0), NULL, 10)] = true;
	} else {
		fprintf(stderr, "ledger: %s", PQerrorMessage(conn));
	}
	PQclear(res);
	return have;
}

/* A row that was acknowledged, as the file has it. */
struct row {
	int writer;
	int64_t number;
};

/* All of the file, before the database is asked: rows that are acknowledged meanwhile are not this
 * check's. */
static struct row *read_acknowledged(const char *file, size_t *n)
{
	struct row *rows = NULL, *more, row;
	FILE *f = fopen(file, "r");

	*n = 0;
	while (f && fscanf(f, "%d %" SCNd64, &row.writer, &row.number) == 2) {
		if (row.writer < 1 || row.writer > MAX_WRITERS || row.number < 1)
			continue;
		if (*n % 1024 == 0) {
			more = realloc(rows, (*n + 1024) * sizeof(*rows));
			if (!more)
				abort();
			rows = more;
		}
		rows[(*n)++] = row;
	}
	if (f)
		fclose(f);
	return rows;
}

static int verify(const char *conninfo, const char *file)
{
	bool *have[MAX_WRITERS + 1] = { NULL };
	int64_t max[MAX_WRITERS + 1] = { 0 };
	size_t n, missing = 0;
	struct row *rows = read_acknowledged(file, &n);
	PGconn *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "ledger: %s", PQerrorMessage(conn));
		return 2;
	}
	for (size_t i = 0; i < n; i++) {
		int w = rows[i].writer;

		if (!have[w])
			have[w] = rows_of(conn, w, &max[w]);
		if (!have[w])
			return 2;
		missing += rows[i].number > max[w] || !have[w][rows[i].number];
	}
	printf("%zu %zu\n", n, missing);
	return missing || !n;
}

int main(int argc, char **argv)
{
	int writers;

	if (argc == 5 && !strcmp(argv[1], "run")) {
		writers = atoi(argv[4]);
		if (writers >= 1 && writers <= MAX_WRITERS)
			return run(argv[2], argv[3], writers);
	} else if (argc == 4 && !strcmp(argv[1], "verify")) {
		return verify(argv[2], argv[3]);
	}
	fprintf(stderr, "usage: ledger run CONNINFO FILE WRITERS | ledger verify CONNINFO FILE\n");
	return 2;
}

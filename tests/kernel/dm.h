/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C tests share: mapped devices on brd or other mapped devices, keys, clocks and I/O that
 * goes round the page cache. All return 0 or -errno where they can fail.
 */
#ifndef CMK_TEST_DM_H
#define CMK_TEST_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dm-cmk.h>

#define T_RAM		"/dev/ram0"	/* completes in the submitter's context, has no cache */
#define T_DISK		"/dev/vda"	/* completes in an interrupt, has a cache */
#define T_RAM_SECTORS	32768ULL	/* 16 MiB, brd's default size */
#define T_NAME_MAX	64
#define T_LINE_MAX	4096

/**
 * t_create() - make a mapped device with one target and resume it
 * @name: its name
 * @sectors: its length
 * @target: type of the target
 * @fmt: printf format of the target's parameters
 */
int t_create(const char *name, uint64_t sectors, const char *target, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** t_reload() - load another table and resume with it */
int t_reload(const char *name, uint64_t sectors, const char *target, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** t_message() - send a message to sector 0 */
int t_message(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** t_suspend() - suspend; @noflush as in dmsetup suspend --noflush --nolockfs */
int t_suspend(const char *name, bool noflush);
int t_resume(const char *name);
int t_remove(const char *name);

/** t_remove_all() - remove all mapped devices, stacked and suspended ones too */
void t_remove_all(void);

/** t_status() - the target's status line (or table line) in @line, of T_LINE_MAX bytes */
int t_status(const char *name, char *line);
int t_table(const char *name, char *line);

/** t_field() - the @n-th word (from 0) of the status line as a number; -1 if there is none */
long long t_field(const char *name, unsigned int n);
/** t_counter() - the value of @counter in the status line; -1 if there is none */
long long t_counter(const char *name, const char *counter);
/** t_is() - does the status line begin with this state and reason? */
bool t_is(const char *name, const char *state, const char *reason);
/** t_wait_is() - wait up to @ms for it */
bool t_wait_is(const char *name, const char *state, const char *reason, unsigned int ms);

/** t_event_nr() - the device's event counter */
uint32_t t_event_nr(const char *name);
/** t_minor() - the minor number, or -errno */
int t_minor(const char *name);
/** t_open() - open a mapped device by name, or another one by path, with O_DIRECT */
int t_open(const char *name, int flags);

/** t_key() - add a key with a payload made from @seed; returns its serial */
int32_t t_key(const char *type, const char *description, unsigned int seed, unsigned int bytes);
/** t_key_bytes() - that payload */
void t_key_bytes(unsigned int seed, uint8_t *out, unsigned int bytes);

uint64_t t_boottime_us(void);
void t_sleep_ms(unsigned int ms);

/** t_alloc() - page-aligned memory, filled from @seed */
void *t_alloc(size_t bytes, unsigned int seed);
void t_fill(void *p, size_t bytes, unsigned int seed);
/** t_pread() - read all, or -errno */
int t_pread(int fd, void *p, size_t bytes, uint64_t offset);
int t_pwrite(int fd, const void *p, size_t bytes, uint64_t offset);

#endif /* CMK_TEST_DM_H */

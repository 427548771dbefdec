/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The one loop of cmk-kms: frames in, operations, frames out. */
#ifndef CMK_KMS_LOOP_H
#define CMK_KMS_LOOP_H

#include "op.h"

/**
 * loop_receive() - take one frame off the socket; blocks.
 * @buf: CMK_FRAME_MAX_BYTES.
 *
 * Return: its length, 0 when the other end is closed, -EBADMSG, -errno.
 */
ssize_t loop_receive(int fd, uint8_t *buf) _must_check_;

/* Send the @len bytes at @buf and wipe them; blocks. Return: 0 or -errno; @len < 0 is returned as
 * it is. */
int loop_send(int fd, uint8_t *buf, int len) _must_check_;

/**
 * loop_run() - serve until the other end closes the socket.
 *
 * Return: 0, or -errno if the protocol was broken.
 */
int loop_run(int fd, const struct kms *kms) _must_check_;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the nft*.c files share: messages and attributes, written one after another. Numbers are in
 * network order. */
#ifndef NOOK_SYS_NFT_PUT_H
#define NOOK_SYS_NFT_PUT_H

#include "nft.h"

/* A message of nf_tables, that begins with the attribute @table: our table's name. */
void nook_nft_message(struct nook_nft *t, uint16_t type, uint16_t flags, uint16_t table);
void nook_nft_message_end(struct nook_nft *t);

void nook_nft_put(struct nook_nft *t, uint16_t type, const void *data, size_t len);
void nook_nft_put_text(struct nook_nft *t, uint16_t type, const char *text);
void nook_nft_put_u32(struct nook_nft *t, uint16_t type, uint32_t value);
/* An attribute that holds one with the bytes: nft's data. */
void nook_nft_put_data(struct nook_nft *t, uint16_t type, const void *data, size_t len);

/* An attribute that holds those that are put between these two. */
void nook_nft_nest(struct nook_nft *t, uint16_t type);
void nook_nft_nest_end(struct nook_nft *t);

#endif

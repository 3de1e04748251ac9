/* SPDX-License-Identifier: Apache-2.0
 *
 * docs.h - the files of /docs, out of the program itself: the API document and the page that shows it.
 */
#ifndef CORE_API_DOCS_H
#define CORE_API_DOCS_H

/* One embedded file, plain and gzipped. The ends point behind the last byte. */
struct docs_asset {
	const char *name;         /* below /docs/; NULL ends the list */
	const char *content_type; /* as it is sent */
	const char *etag;         /* weak, with its quotes: the same for both forms (RFC 9110 8.8.3) */
	const unsigned char *plain, *plain_end, *gzip, *gzip_end;
};

/* Every embedded file; made by web/embed.cmake when the program is built. */
extern const struct docs_asset docs_assets[];

#endif

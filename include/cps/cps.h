/* The portal's verifier of CPS tokens, for C and whatever calls C (docs/verify-library.md).
 *
 * No function throws, aborts or prints. Text is UTF-8 and ends with a zero octet. What a
 * function returns belongs to the verifier or answer that it came from and lives as long as
 * that. A verifier may be used by several threads at once; an answer by one at a time. */
#ifndef CPS_CPS_H
#define CPS_CPS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. It grows at the end alone while it stays 0, and its structures too: a shorter
 * one, of an older header, is understood and the rest taken as 0; a longer one is refused. */
#define CPS_API_VERSION 0

typedef struct cps_verifier cps_verifier;
typedef struct cps_answer cps_answer;

/* What a portal decides once. Set `size` to sizeof(cps_config) and everything else to 0 first.
 */
typedef struct cps_config {
    size_t size;
    const char* audience;        /* the portal's own public origin: https://host[:port] */
    const char* trust_pem;       /* the issuing authorities that are pinned, PEM */
    const char* const* policies; /* dotted OIDs, one of which a certificate must carry */
    size_t policy_count;         /* 0: any policy */
    const char* crl_dir; /* folder of revocation lists (*.crl), read now and by cps_reload;
                            NULL: revocation is not looked at */
} cps_config;

/* What one request needs; from the portal's routing and session, never from the token. Set
 * `size` to sizeof(cps_expectation) and everything else to 0 first. */
typedef struct cps_expectation {
    size_t size;
    const char* kind;    /* "login" "session" "request" "feature" "revoke" */
    const char* session; /* the portal's own session identifier */
    const char* feature; /* for request and feature, as the next three */
    const char* htm;
    const char* htu;
    const char* rid;
    const char* const* account_ids; /* whom the account belongs to; none: any holder */
    size_t account_id_count;
    unsigned limit;      /* session: the most feature tokens; 0: as many as the token says */
    int card_only;       /* the feature has mode "card" */
    int fresh_nonce;     /* the feature wants a nonce in each token */
    const char* account; /* whose quota is charged; may be NULL */
    unsigned per_hour;   /* quota; 0: none */
    unsigned per_day;
} cps_expectation;

/* A verifier with its records in memory, for one process. NULL on failure; *error is then
 * "bad_argument" (size, audience or trust_pem is not what it should be) or "internal" (memory
 * is short), and lives forever. `error` may be NULL. */
cps_verifier* cps_verifier_new(const cps_config* config, const char** error);
void cps_verifier_free(cps_verifier* verifier); /* NULL is allowed */
/* Reads crl_dir again and forgets what is cached. */
void cps_reload(cps_verifier* verifier);

/* A challenge for this session and these features (a login: "login"), as JSON, remembered for
 * 120 seconds. NULL where it cannot be: eight of this session are live, or a feature is none.
 * To be freed with cps_text_free. */
char* cps_challenge(cps_verifier* verifier, const char* session, const char* const* features,
                    size_t feature_count);
void cps_text_free(char* text); /* NULL is allowed */

/* The `rid` of a request: base64url SHA-256 of query, line feed, body. To be freed with
 * cps_text_free; NULL when memory is short. */
char* cps_rid(const void* query, size_t query_size, const void* body, size_t body_size);

/* Judges one token. Never NULL, unless memory is short. */
cps_answer* cps_verify(cps_verifier* verifier, const char* token, size_t token_size,
                       const cps_expectation* expectation);
void cps_answer_free(cps_answer* answer); /* NULL is allowed */

int cps_answer_accepted(const cps_answer* answer); /* 1 or 0 */
/* "accepted", a refusal code of docs/errors.md, or "bad_argument" for an expectation that is
 * none, "internal" when memory is short. Lives forever. */
const char* cps_answer_code(const cps_answer* answer);
/* Of an accepted token; "" of others. */
const char* cps_answer_holder_id(const cps_answer* answer);
const char* cps_answer_surname(const cps_answer* answer);
const char* cps_answer_given_names(const cps_answer* answer);
const char* cps_answer_profession(const cps_answer* answer); /* TRE_G15 code, or "" */
const char*
cps_answer_certificate_sha256(const cps_answer* answer); /* lower-case hexadecimal */
const char* cps_answer_claims(const cps_answer* answer); /* JSON; can only narrow a decision */
/* Of an accepted session, feature or revoke token; "" or 0 of others. */
const char* cps_answer_session_kid(const cps_answer* answer);
unsigned cps_answer_session_left(const cps_answer* answer);
int64_t cps_answer_session_ends(const cps_answer* answer); /* seconds since 1970 */

#ifdef __cplusplus
}
#endif

#endif

/* The C interface as a C11 program sees it: a challenge, a forged answer to it, verdicts. argv:
 * the authorities' PEM file, a folder of CRLs. Reads tokens from standard input: for each, a
 * line "challenge" makes one; a line "verify KIND TOKEN" judges it; "older", "newer" and "torn"
 * do so with an expectation of another size. */
#include <cps/cps.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char* contents(const char* path)
{
    static char text[1 << 16];
    FILE* file = fopen(path, "rb");
    size_t size;
    if (file == NULL)
        return NULL;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return text;
}

static void challenge(cps_verifier* verifier, const char* feature)
{
    char* text = cps_challenge(verifier, "session-1", &feature, 1);
    puts(text != NULL ? text : "none");
    cps_text_free(text);
}

static size_t size_of(const char* caller)
{
    if (strcmp(caller, "older") == 0)
        return offsetof(cps_expectation, account); /* had no quotas */
    if (strcmp(caller, "newer") == 0)
        return sizeof(cps_expectation) + sizeof(void*);
    if (strcmp(caller, "torn") == 0)
        return offsetof(cps_expectation, account) + 1;
    return sizeof(cps_expectation);
}

static void judge(cps_verifier* verifier, const char* caller, const char* kind,
                  const char* token)
{
    cps_expectation expected;
    cps_answer* answer;
    memset(&expected, 0, sizeof expected);
    expected.size = size_of(caller);
    expected.kind = kind;
    expected.session = "session-1";
    expected.feature = "infopatient.read";
    expected.htm = "GET";
    expected.htu = "https://portal.example/patient";
    expected.rid = cps_rid("", 0, "", 0);
    expected.limit = 2;
    answer = cps_verify(verifier, token, strlen(token), &expected);
    printf("%d %s %s %u\n", cps_answer_accepted(answer), cps_answer_code(answer),
           cps_answer_holder_id(answer), cps_answer_session_left(answer));
    cps_answer_free(answer);
    cps_text_free((char*)expected.rid);
}

int main(int argc, char** argv)
{
    static char line[1 << 15];
    cps_config config;
    const char* error = NULL;
    cps_verifier* verifier;
    memset(&config, 0, sizeof config);
    if (cps_verifier_new(&config, &error) != NULL || error == NULL)
        return 1;
    config.size = sizeof config + sizeof(void*);
    if (cps_verifier_new(&config, &error) != NULL || strcmp(error, "bad_argument") != 0)
        return 1;
    config.size = offsetof(cps_config, crl_dir); /* would be silent about revocation */
    if (cps_verifier_new(&config, &error) != NULL || strcmp(error, "bad_argument") != 0)
        return 1;
    config.size = sizeof config;
    config.audience = "https://portal.example";
    config.trust_pem = argc > 1 ? contents(argv[1]) : NULL;
    config.crl_dir = argc > 2 ? argv[2] : NULL;
    verifier = cps_verifier_new(&config, &error);
    if (verifier == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char* kind = strchr(line, ' ');
        char* token = kind != NULL ? strchr(kind + 1, ' ') : NULL;
        line[strcspn(line, "\n")] = '\0';
        if (kind != NULL)
            *kind++ = '\0';
        if (token != NULL)
            *token++ = '\0';
        if (strcmp(line, "challenge") == 0)
            challenge(verifier, kind);
        else
            judge(verifier, line, kind, token);
        fflush(stdout);
    }
    cps_reload(verifier);
    cps_verifier_free(verifier);
    cps_verifier_free(NULL);
    return 0;
}

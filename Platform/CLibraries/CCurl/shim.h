#pragma once
#include <curl/curl.h>
// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift can't call.
static inline CURLcode diboas_setopt_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode diboas_setopt_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode diboas_setopt_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }

#include "host.h"

#include <dlfcn.h>
#include <pthread.h>

const char *register_operators(void *library, void *session_options) {
	const interface *(*base)(void) = (const interface *(*)(void))dlsym(library, "OrtGetApiBase");
	const function *api = base ? base()->api(API_VERSION) : NULL;
	if (!api)
		return "the library has another interface";
	// A domain lives as long as the program: sessions that use it may outlive these options.
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static const function *of;
	static void *domain;
	void *status = NULL;
	pthread_mutex_lock(&mutex);
	if (of != api) {
		void *made = NULL;
		status = CALL(api, CREATE_DOMAIN, void *(*)(const char *, void **))("mekiki", &made);
		const operator *all[] = {&product_operator, &blocks_operator, &attention_operator};
		for (size_t i = 0; !status && i < sizeof all / sizeof *all; i++)
			status = CALL(api, DOMAIN_ADD, void *(*)(void *, const operator *))(made, all[i]);
		if (!status)
			of = api, domain = made;
	}
	if (!status)
		status = CALL(api, ADD_DOMAIN, void *(*)(void *, void *))(session_options, domain);
	pthread_mutex_unlock(&mutex);
	if (!status)
		return NULL;
	CALL(api, RELEASE_STATUS, void (*)(void *))(status);
	return "the runtime refuses the operators";
}

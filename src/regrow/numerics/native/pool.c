#include "pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "vec.h"

enum { MOST = 64 };

static pthread_mutex_t entry = PTHREAD_MUTEX_INITIALIZER; /* one parallel region at a time */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begin = PTHREAD_COND_INITIALIZER, end = PTHREAD_COND_INITIALIZER;
static int wanted = 1, running = 1, pending;
static pid_t owner;
static uint64_t generation;
static struct {
    regrow_task task;
    void *context;
    int64_t count;
    int shares;
} job;

static void share(int number) {
    int64_t first = job.count * number / job.shares, last = job.count * (number + 1) / job.shares;
    if (first < last) job.task(job.context, first, last);
}

static uint64_t born[MOST]; /* the generation in which a worker came to be: it owes only later ones */

static void *worker(void *argument) {
    int number = (int)(intptr_t)argument;
    uint64_t seen = born[number];
    for (;;) {
        pthread_mutex_lock(&lock);
        while (generation == seen) pthread_cond_wait(&begin, &lock);
        seen = generation;
        int mine = number < job.shares;
        pthread_mutex_unlock(&lock);
        if (!mine) continue;
        share(number);
        pthread_mutex_lock(&lock);
        if (--pending == 0) pthread_cond_signal(&end);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

EXPORT void regrow_threads(int count) { wanted = count < 1 ? 1 : count > MOST ? MOST : count; }

void regrow_parallel(int64_t count, regrow_task task, void *context) {
    if (wanted == 1 || count < 2 || pthread_mutex_trylock(&entry)) {
        task(context, 0, count);
        return;
    }
    if (owner != getpid()) { /* first use, or the child of a fork: no worker came along */
        owner = getpid();
        running = 1;
        generation = 0;
    }
    for (; running < wanted; running++) {
        pthread_t thread;
        born[running] = generation;
        if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)running)) break;
        pthread_detach(thread);
    }
    pthread_mutex_lock(&lock);
    job.task = task;
    job.context = context;
    job.count = count;
    job.shares = running < wanted ? running : wanted;
    if (job.shares > count) job.shares = (int)count;
    pending = job.shares - 1;
    generation++;
    pthread_cond_broadcast(&begin);
    pthread_mutex_unlock(&lock);
    share(0);
    pthread_mutex_lock(&lock);
    while (pending) pthread_cond_wait(&end, &lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&entry);
}

static __thread struct {
    void *memory;
    int64_t bytes;
} scratch[SLOTS];

void *regrow_scratch(int slot, int64_t bytes) {
    if (scratch[slot].bytes < bytes) {
        free(scratch[slot].memory);
        if (posix_memalign(&scratch[slot].memory, 64, (size_t)bytes)) abort();
        scratch[slot].bytes = bytes;
    }
    return scratch[slot].memory;
}

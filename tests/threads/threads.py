"""Threads and processes of Python's standard library: the same output natively and in the machine."""

import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def square(number):
    return number * number


def add_many(counter, lock):
    for _ in range(100):
        with lock:
            counter.value += 1


def threads():
    results = queue.Queue()
    total = [0]
    lock = threading.Lock()

    def work(number):
        for _ in range(200):
            with lock:
                total[0] += 1
        results.put(number)

    all_threads = [threading.Thread(target=work, args=(i,)) for i in range(20)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    print("threads:", total[0], sorted(results.get() for _ in range(20)))
    with ThreadPoolExecutor(8) as pool:
        print("pool:", sum(pool.map(square, range(100))))
    event = threading.Event()
    print("event:", event.wait(0.002))
    timer = threading.Timer(0.001, event.set)
    timer.start()
    print("timer:", event.wait(20))
    barrier = threading.Barrier(4)
    leaders = []
    meeting = [threading.Thread(target=lambda: leaders.append(barrier.wait())) for _ in range(4)]
    for thread in meeting:
        thread.start()
    for thread in meeting:
        thread.join()
    print("barrier:", sorted(leaders))


def processes():
    pipes = [os.pipe() for _ in range(3)]
    for number, (_, write) in enumerate(pipes):
        pid = os.fork()
        if pid == 0:
            os.write(write, b"%d" % square(number + 2))
            os._exit(number)
    codes = sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(3))
    print("fork:", codes, [os.read(read, 10) for read, _ in pipes])
    done = subprocess.run([sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))"], input="12345", text=True)
    print("subprocess:", done.returncode)


def shared_memory():
    context = multiprocessing.get_context("fork")
    counter = context.Value("i", 0, lock=False)
    lock = context.Lock()
    workers = [context.Process(target=add_many, args=(counter, lock)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("shared counter:", counter.value, [worker.exitcode for worker in workers])
    parent, child = context.Pipe(duplex=False)
    sender = context.Process(target=lambda: child.send({"pid": os.getpid() > 0}))
    sender.start()
    print("pipe:", parent.recv())
    sender.join()
    with context.Pool(3) as pool:
        print("process pool:", sum(pool.map(square, range(50))))
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        print("executor:", list(pool.map(square, range(5))))


def signals():
    seen = []
    signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    while len(seen) < 2:
        time.sleep(0.001)
    print("signals:", sorted(seen))


if __name__ == "__main__":
    threads()
    processes()
    signals()
    if "processes" in sys.argv:
        shared_memory()

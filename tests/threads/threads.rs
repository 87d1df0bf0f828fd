// Threads of Rust's standard library: the same output natively and in the machine.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::Duration;

thread_local!(static OWN: std::cell::Cell<u32> = const { std::cell::Cell::new(7) });

fn count_together() -> usize {
    let total = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let total = Arc::clone(&total);
            thread::spawn(move || {
                for _ in 0..1000 {
                    *total.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let total = *total.lock().unwrap();
    total
}

fn pipeline() -> u64 {
    let (first, numbers) = sync_channel(4);
    let (second, squares) = channel();
    thread::spawn(move || (1..=500u64).for_each(|number| first.send(number).unwrap()));
    thread::spawn(move || numbers.iter().for_each(|number| second.send(number * number).unwrap()));
    squares.iter().sum()
}

fn meet() -> usize {
    let barrier = Arc::new(Barrier::new(6));
    let leaders = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    leaders.load(Ordering::SeqCst)
}

fn main() {
    println!("count: {}", count_together());
    println!("squares: {}", pipeline());
    println!("leaders: {}", meet());
    let words = RwLock::new(Vec::new());
    thread::scope(|scope| {
        for i in 0..4 {
            let words = &words;
            scope.spawn(move || words.write().unwrap().push(i));
        }
    });
    println!("pushed: {}", words.read().unwrap().iter().sum::<i32>());
    let pair = (Mutex::new(false), Condvar::new());
    let wait = pair.1.wait_timeout(pair.0.lock().unwrap(), Duration::from_millis(2)).unwrap();
    println!("timed out: {}", wait.1.timed_out());
    drop(wait);
    let parked = thread::spawn(|| {
        thread::park();
        OWN.with(|own| own.replace(8))
    });
    parked.thread().unpark();
    println!("parked: {}, own {}", parked.join().unwrap(), OWN.with(|own| own.get()));
    static ONCE: Once = Once::new();
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    (0..10).map(|_| thread::spawn(|| ONCE.call_once(|| CALLS.store(CALLS.load(Ordering::SeqCst) + 1, Ordering::SeqCst))))
        .for_each(|thread| thread.join().unwrap());
    println!("once: {}", CALLS.load(Ordering::SeqCst));
    std::panic::set_hook(Box::new(|_| {}));
    println!("panic: {}", thread::spawn(|| panic!("in a thread")).join().is_err());
    std::process::exit(thread::Builder::new().stack_size(256 << 10).spawn(|| 9).unwrap().join().unwrap());
}

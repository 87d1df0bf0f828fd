// Goroutines, which Go spreads over threads of its own making, without a C library: the same output natively and in the
// machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func sieve(limit int) int {
	numbers := make(chan int)
	go func() {
		for i := 2; i < limit; i++ {
			numbers <- i
		}
		close(numbers)
	}()
	count := 0
	for {
		prime, more := <-numbers
		if !more {
			return count
		}
		count++
		next := make(chan int)
		go func(in <-chan int, out chan<- int) {
			for number := range in {
				if number%prime != 0 {
					out <- number
				}
			}
			close(out)
		}(numbers, next)
		numbers = next
	}
}

func countTogether() (int, int64) {
	var guard sync.Mutex
	var group sync.WaitGroup
	var fast int64
	total := 0
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 100; j++ {
				guard.Lock()
				total++
				guard.Unlock()
				atomic.AddInt64(&fast, 1)
				if j%10 == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	group.Wait()
	return total, fast
}

func lockedThreads() []int {
	results := make(chan int, 8)
	for i := 0; i < 8; i++ {
		go func(i int) {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
			results <- i * i
		}(i)
	}
	squares := []int{}
	for i := 0; i < 8; i++ {
		squares = append(squares, <-results)
	}
	sort.Ints(squares)
	return squares
}

func garbage() int {
	var group sync.WaitGroup
	var total int64
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			kept := [][]byte{}
			for j := 0; j < 200; j++ {
				kept = append(kept, make([]byte, 4096))
				if len(kept) > 20 {
					kept = kept[10:]
				}
				atomic.AddInt64(&total, int64(len(kept[0])))
			}
			runtime.GC()
		}()
	}
	group.Wait()
	return int(total)
}

func main() {
	if len(os.Args) > 1 {
		os.Exit(3)
	}
	fmt.Println("primes:", sieve(300))
	total, fast := countTogether()
	fmt.Println("count:", total, fast)
	fmt.Println("locked:", lockedThreads())
	fmt.Println("garbage:", garbage())
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	fmt.Println("timeout:", ctx.Err())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal:", <-signals)
	spin := make(chan bool)
	go func() {
		for stop := time.Now().Add(30 * time.Millisecond); time.Now().Before(stop); {
		}
		spin <- true
	}()
	fmt.Println("spun:", <-spin)
	err := exec.Command(os.Args[0], "again").Run()
	var ended *exec.ExitError
	fmt.Println("child:", errors.As(err, &ended) && ended.ExitCode() == 3)
	func() {
		defer func() { fmt.Println("recovered:", recover() != nil) }()
		var nothing *int
		*nothing = 1
	}()
}

// Go's own transport, as an oracle of what it does with connections.
//
//	go run go_http.go BASE_URL GOROUTINES ROUNDS
//
// The goroutines share one client with http.DefaultTransport. In each round all of them post one chat at the same
// moment, and the next round begins when all have their answers. Prints how many were answered, as JSON.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const body = `{"model":"gpt-4.1","messages":[{"role":"user","content":"Answer in about 5 tokens."}]}`

func ask(client *http.Client, url string) bool {
	answer, err := client.Post(url+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == 200
}

func main() {
	url := os.Args[1]
	goroutines, _ := strconv.Atoi(os.Args[2])
	rounds, _ := strconv.Atoi(os.Args[3])
	client := &http.Client{}
	var answered atomic.Int64
	for round := 0; round < rounds; round++ {
		var all sync.WaitGroup
		for i := 0; i < goroutines; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				if ask(client, url) {
					answered.Add(1)
				}
			}()
		}
		all.Wait()
		// A connection goes back to the pool on a goroutine of its own, after its body was read.
		time.Sleep(500 * time.Millisecond)
	}
	fmt.Printf("{\"ok\":%d}\n", answered.Load())
	// The client lives until the pipe ends, so that the server can be asked what is kept.
	_, _ = io.Copy(io.Discard, os.Stdin)
}

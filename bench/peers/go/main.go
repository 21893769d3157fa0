// grpc-go as a server, and as a client that makes unary calls, for the benchmarks. It generates no code: the
// messages of bench.proto and helloworld.proto are on the wire as well-known types, and those it takes instead.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const maxMessageOctets = 16 << 20

// body is the same text of octets as in bench/worker/payload.ts.
func body(size int) []byte {
	octets := make([]byte, size)
	state := uint32(0x2545f491)
	for i := range octets {
		state = state*1103515245 + 12345
		octets[i] = 32 + byte(state>>16)&31
	}
	return octets
}

func echo(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(wrapperspb.BytesValue)
	err := decode(request)
	return request, err
}

func sayHello(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(wrapperspb.StringValue)
	if err := decode(request); err != nil {
		return nil, err
	}
	return wrapperspb.String("Hello " + request.Value), nil
}

func download(_ any, stream grpc.ServerStream) error {
	request := new(durationpb.Duration)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	message := wrapperspb.Bytes(body(int(request.Nanos)))
	for range request.Seconds {
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return nil
}

func upload(_ any, stream grpc.ServerStream) error {
	var octets int64
	for {
		message := new(wrapperspb.BytesValue)
		err := stream.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return stream.SendMsg(wrapperspb.Int64(octets))
		}
		if err != nil {
			return err
		}
		octets += int64(len(message.Value))
	}
}

func chat(_ any, stream grpc.ServerStream) error {
	for {
		message := new(wrapperspb.BytesValue)
		err := stream.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = stream.SendMsg(message)
		}
		if err != nil {
			return err
		}
	}
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageOctets))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Bench",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Echo", Handler: echo}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Download", Handler: download, ServerStreams: true},
			{StreamName: "Upload", Handler: upload, ClientStreams: true},
			{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true},
		},
	}, nil)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "helloworld.Greeter",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "SayHello", Handler: sayHello}},
	}, nil)
	fmt.Printf("listening %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}

func cpuMicroseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

// lanes makes calls, `outstanding` at a time, for that long, and returns their latencies in milliseconds.
func lanes(connection *grpc.ClientConn, outstanding, size int, duration time.Duration) []float64 {
	var group sync.WaitGroup
	latencies := make([][]float64, outstanding)
	end := time.Now().Add(duration)
	for lane := range latencies {
		group.Go(func() {
			request := wrapperspb.Bytes(body(size))
			for time.Now().Before(end) {
				start := time.Now()
				reply := new(wrapperspb.BytesValue)
				if err := connection.Invoke(context.Background(), "/bench.Bench/Echo", request, reply); err != nil {
					log.Fatal(err)
				}
				if !bytes.Equal(reply.Value, request.Value) {
					log.Fatal("a reply is not the one expected: the run is void")
				}
				latencies[lane] = append(latencies[lane], float64(time.Since(start).Nanoseconds())/1e6)
			}
		})
	}
	group.Wait()
	var all []float64
	for _, lane := range latencies {
		all = append(all, lane...)
	}
	sort.Float64s(all)
	return all
}

func call(address string, outstanding, size int, warmUp, duration time.Duration) {
	limit := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageOctets))
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), limit)
	if err != nil {
		log.Fatal(err)
	}
	lanes(connection, outstanding, size, warmUp)
	cpu, start := cpuMicroseconds(), time.Now()
	sorted := lanes(connection, outstanding, size, duration)
	seconds := time.Since(start).Seconds()
	cpu = cpuMicroseconds() - cpu
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	mean := 0.0
	for _, each := range sorted {
		mean += each / float64(len(sorted))
	}
	result := map[string]any{
		"operations": len(sorted), "seconds": seconds, "cpuUs": cpu,
		"latency": map[string]float64{
			"meanMs": mean, "p50Ms": at(0.5), "p90Ms": at(0.9), "p99Ms": at(0.99), "p999Ms": at(0.999), "maxMs": at(1),
		},
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

func main() {
	address := flag.String("call", "", "address of a server to call; serves otherwise")
	outstanding := flag.Int("outstanding", 64, "calls at a time")
	size := flag.Int("size", 16, "octets of a message")
	warmUp := flag.Duration("warm-up", time.Second, "time before measuring")
	duration := flag.Duration("duration", time.Second, "time to measure")
	flag.Parse()
	if *address == "" {
		serve()
	}
	call(*address, *outstanding, *size, *warmUp, *duration)
}

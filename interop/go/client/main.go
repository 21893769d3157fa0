// The Go client of the peers: see interop/README.md for what it checks.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"grpc-glass/interop/gen/countries"
	"grpc-glass/interop/gen/helloworld"
)

const (
	maxMessageOctets  = 16 << 20
	largeNameOctets   = 8 << 20
	callTimeout       = 20 * time.Second
	deadline          = 200 * time.Millisecond
	noticedWithin     = 5 * time.Second
	streamedMessages  = 1000
	simultaneousCalls = 100
)

type client struct {
	connection *grpc.ClientConn
	greeter    helloworld.GreeterClient
	country    countries.CountryClient
	known      []*countries.CountryResponse
}

func hello(name string) *helloworld.HelloRequest { return &helloworld.HelloRequest{Name: name} }

func expect(what string, got, want any) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	return fmt.Errorf("%s: got %.200q, want %.200q", what, fmt.Sprint(got), fmt.Sprint(want))
}

func expectStatus(err error, code codes.Code, message string) error {
	got := status.Convert(err)
	if got.Code() != code || (message != "" && got.Message() != message) {
		return fmt.Errorf("got %v %q, want %v %q", got.Code(), got.Message(), code, message)
	}
	return nil
}

func behaving(ctx context.Context, behavior string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "glass-behavior", behavior)
}

type receiver interface {
	Recv() (*helloworld.HelloReply, error)
}

func receiveAll(stream receiver) ([]string, error) {
	var messages []string
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, reply.Message)
	}
}

func (c *client) unary(ctx context.Context) error {
	reply, err := c.greeter.SayHello(ctx, hello("Zoë 🦉"))
	if err != nil {
		return err
	}
	return expect("message", reply.Message, "Hello Zoë 🦉")
}

func (c *client) serverStreaming(ctx context.Context) error {
	stream, err := c.greeter.SayHellos(ctx, hello("Ada"))
	if err != nil {
		return err
	}
	messages, err := receiveAll(stream)
	if err != nil {
		return err
	}
	return expect("messages", messages, []string{"Hello Ada", "Hello again, Ada", "Goodbye Ada"})
}

func (c *client) clientStreaming(ctx context.Context) error {
	stream, err := c.greeter.GreetAll(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"Ada", "", "Grace"} {
		if err := stream.Send(hello(name)); err != nil {
			return err
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	return expect("message", reply.Message, "Hello Ada, , Grace")
}

func (c *client) lockStep(ctx context.Context) error {
	stream, err := c.greeter.Chat(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"Ada", "Grace", "Edith"} {
		if err := stream.Send(hello(name)); err != nil {
			return err
		}
		reply, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := expect("message", reply.Message, "Hello "+name); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	rest, err := receiveAll(stream)
	if err != nil {
		return err
	}
	return expect("rest", len(rest), 0)
}

func (c *client) countryFound(ctx context.Context) error {
	for _, known := range c.known {
		found, err := c.country.Search(ctx, &countries.CountryRequest{Name: strings.ToUpper(known.Name)})
		if err != nil {
			return err
		}
		if !proto.Equal(found, known) {
			return fmt.Errorf("got %v, want %v", found, known)
		}
	}
	return nil
}

func (c *client) countryNotFound(ctx context.Context) error {
	_, err := c.country.Search(ctx, &countries.CountryRequest{Name: "Atlantis"})
	return expectStatus(err, codes.NotFound, "no country is called Atlantis")
}

func everyOctet() string {
	octets := make([]byte, 256)
	for index := range octets {
		octets[index] = byte(index)
	}
	return string(octets)
}

func withMetadata(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx,
		"glass-initial", "one", "glass-initial", "two three",
		"glass-trailing-bin", everyOctet(), "glass-trailing-bin", "")
}

func expectMetadata(header, trailer metadata.MD) error {
	if err := expect("headers", header.Get("glass-initial"), []string{"one", "two three"}); err != nil {
		return err
	}
	return expect("trailers", trailer.Get("glass-trailing-bin"), []string{everyOctet(), ""})
}

func (c *client) unaryMetadata(ctx context.Context) error {
	var header, trailer metadata.MD
	_, err := c.greeter.SayHello(withMetadata(ctx), hello("Ada"), grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return err
	}
	return expectMetadata(header, trailer)
}

func (c *client) streamMetadata(ctx context.Context) error {
	stream, err := c.greeter.SayHellos(withMetadata(ctx), hello("Ada"))
	if err != nil {
		return err
	}
	header, err := stream.Header()
	if err != nil {
		return err
	}
	if _, err := receiveAll(stream); err != nil {
		return err
	}
	return expectMetadata(header, stream.Trailer())
}

func expectFailure(err error) error {
	if err := expectStatus(err, codes.NotFound, "no such name: Zoë"); err != nil {
		return err
	}
	details := status.Convert(err).Details()
	want := &errdetails.ErrorInfo{
		Reason: "UNKNOWN_NAME", Domain: "grpc-glass.test", Metadata: map[string]string{"name": "Zoë"},
	}
	if len(details) == 1 {
		if info, ok := details[0].(proto.Message); ok && proto.Equal(info, want) {
			return nil
		}
	}
	return fmt.Errorf("got details %v, want %v", details, want)
}

func (c *client) errorWithDetails(ctx context.Context) error {
	_, err := c.greeter.SayHello(behaving(ctx, "fail"), hello("Zoë"))
	return expectFailure(err)
}

func (c *client) errorAfterMessage(ctx context.Context) error {
	stream, err := c.greeter.SayHellos(behaving(ctx, "fail"), hello("Zoë"))
	if err != nil {
		return err
	}
	messages, err := receiveAll(stream)
	if err := expect("messages", messages, []string{"Hello Zoë"}); err != nil {
		return err
	}
	return expectFailure(err)
}

func (c *client) callsOver(ctx context.Context) (int, error) {
	reply, err := c.greeter.SayHello(behaving(ctx, "count"), hello(""))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(reply.Message)
}

// noticed makes a call that hangs and waits until the server has seen its end.
func (c *client) noticed(ctx context.Context, call func() error) error {
	before, err := c.callsOver(ctx)
	if err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		after, err := c.callsOver(ctx)
		if err != nil {
			return err
		}
		if after == before+1 {
			return nil
		}
		if time.Since(start) > noticedWithin {
			return fmt.Errorf("the server counts %d calls over, want %d", after, before+1)
		}
	}
}

func (c *client) deadlineExpires(ctx context.Context) error {
	return c.noticed(ctx, func() error {
		short, cancel := context.WithTimeout(behaving(ctx, "hang"), deadline)
		defer cancel()
		_, err := c.greeter.SayHello(short, hello("Ada"))
		return expectStatus(err, codes.DeadlineExceeded, "")
	})
}

func (c *client) cancelUnary(ctx context.Context) error {
	return c.noticed(ctx, func() error {
		cancelled, cancel := context.WithCancel(behaving(ctx, "hang"))
		time.AfterFunc(deadline, cancel)
		_, err := c.greeter.SayHello(cancelled, hello("Ada"))
		return expectStatus(err, codes.Canceled, "")
	})
}

func (c *client) cancelStream(ctx context.Context) error {
	return c.noticed(ctx, func() error {
		cancelled, cancel := context.WithCancel(behaving(ctx, "hang"))
		defer cancel()
		stream, err := c.greeter.Chat(cancelled)
		if err != nil {
			return err
		}
		if err := stream.Send(hello("Ada")); err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
		cancel()
		_, err = stream.Recv()
		return expectStatus(err, codes.Canceled, "")
	})
}

func (c *client) large(ctx context.Context) error {
	name := strings.Repeat("x", largeNameOctets)
	reply, err := c.greeter.SayHello(ctx, hello(name))
	if err != nil {
		return err
	}
	return expect("message", reply.Message == "Hello "+name, true)
}

func (c *client) manyMessages(ctx context.Context) error {
	stream, err := c.greeter.Chat(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		for index := range streamedMessages {
			if err := stream.Send(hello(strconv.Itoa(index))); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	messages, err := receiveAll(stream)
	if err != nil {
		return err
	}
	for index, message := range messages {
		if err := expect("message", message, "Hello "+strconv.Itoa(index)); err != nil {
			return err
		}
	}
	if err := expect("number of messages", len(messages), streamedMessages); err != nil {
		return err
	}
	return <-sent
}

func (c *client) atOnce(ctx context.Context) error {
	failures := make([]error, simultaneousCalls)
	var group sync.WaitGroup
	for index := range simultaneousCalls {
		group.Add(1)
		go func() {
			defer group.Done()
			name := strconv.Itoa(index)
			reply, err := c.greeter.SayHello(ctx, hello(name))
			if err == nil {
				err = expect("message", reply.Message, "Hello "+name)
			}
			failures[index] = err
		}()
	}
	group.Wait()
	return errors.Join(failures...)
}

func (c *client) compressed(ctx context.Context) error {
	name := strings.Repeat("a long name ", 1000)
	reply, err := c.greeter.SayHello(ctx, hello(name), grpc.UseCompressor(gzip.Name))
	if err != nil {
		return err
	}
	return expect("message", reply.Message, "Hello "+name)
}

func (c *client) unknownMethod(ctx context.Context) error {
	err := c.connection.Invoke(ctx, "/helloworld.Greeter/SayNothing", hello("Ada"), &helloworld.HelloReply{})
	return expectStatus(err, codes.Unimplemented, "")
}

func readCountries(path string) ([]*countries.CountryResponse, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, err
	}
	known := make([]*countries.CountryResponse, len(entries))
	for index, entry := range entries {
		known[index] = &countries.CountryResponse{}
		if err := protojson.Unmarshal(entry, known[index]); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func main() {
	address := flag.String("address", "", "HOST:PORT of the server")
	countriesFile := flag.String("countries", "", "JSON file of countries")
	ca := flag.String("tls-ca", "", "PEM root certificate")
	flag.Parse()

	known, err := readCountries(*countriesFile)
	if err != nil {
		log.Fatal(err)
	}
	creds := insecure.NewCredentials()
	if *ca != "" {
		if creds, err = credentials.NewClientTLSFromFile(*ca, ""); err != nil {
			log.Fatal(err)
		}
	}
	connection, err := grpc.NewClient(*address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageOctets)))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	c := &client{connection, helloworld.NewGreeterClient(connection), countries.NewCountryClient(connection), known}

	cases := []struct {
		name string
		run  func(context.Context) error
	}{
		{"unary", c.unary},
		{"server streaming", c.serverStreaming},
		{"client streaming", c.clientStreaming},
		{"bidirectional streaming in lock step", c.lockStep},
		{"country found", c.countryFound},
		{"country not found", c.countryNotFound},
		{"metadata on a unary call", c.unaryMetadata},
		{"metadata on a streaming call", c.streamMetadata},
		{"error with details", c.errorWithDetails},
		{"error after a message", c.errorAfterMessage},
		{"deadline expires on both sides", c.deadlineExpires},
		{"cancel reaches the server", c.cancelUnary},
		{"cancel of an open stream reaches the server", c.cancelStream},
		{"8 MiB both ways", c.large},
		{"1000 messages both ways", c.manyMessages},
		{"100 calls at once", c.atOnce},
		{"gzip both ways", c.compressed},
		{"unknown method", c.unknownMethod},
	}
	fmt.Printf("TAP version 14\n1..%d\n", len(cases))
	failed := 0
	for index, test := range cases {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		err := test.run(ctx)
		cancel()
		if err == nil {
			fmt.Printf("ok %d - %s\n", index+1, test.name)
			continue
		}
		failed++
		fmt.Printf("not ok %d - %s\n", index+1, test.name)
		for line := range strings.Lines(err.Error()) {
			fmt.Printf("# %s\n", strings.TrimRight(line, "\n"))
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

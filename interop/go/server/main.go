// The Go server of the peers: see interop/README.md for what it does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"grpc-glass/interop/gen/countries"
	"grpc-glass/interop/gen/helloworld"
)

const maxMessageOctets = 16 << 20

type greeter struct {
	helloworld.UnimplementedGreeterServer
	over atomic.Int64
}

// begin sends metadata back, and counts the end of a call that will hang: it may come at any moment.
func (g *greeter) begin(ctx context.Context, setHeader, setTrailer func(metadata.MD)) {
	if behavior(ctx) == "hang" {
		context.AfterFunc(ctx, func() { g.over.Add(1) })
	}
	sent, _ := metadata.FromIncomingContext(ctx)
	if values := sent.Get("glass-initial"); len(values) > 0 {
		setHeader(metadata.MD{"glass-initial": values})
	}
	if values := sent.Get("glass-trailing-bin"); len(values) > 0 {
		setTrailer(metadata.MD{"glass-trailing-bin": values})
	}
}

func behavior(ctx context.Context) string {
	sent, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(sent.Get("glass-behavior"), ",")
}

// misbehave fails or hangs where the metadata asks for it.
func (g *greeter) misbehave(ctx context.Context, name string) error {
	switch behavior(ctx) {
	case "fail":
		failure, err := status.New(codes.NotFound, "no such name: Zoë").WithDetails(&errdetails.ErrorInfo{
			Reason: "UNKNOWN_NAME", Domain: "grpc-glass.test", Metadata: map[string]string{"name": name},
		})
		if err != nil {
			return err
		}
		return failure.Err()
	case "hang":
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	return nil
}

func (g *greeter) SayHello(ctx context.Context, request *helloworld.HelloRequest) (*helloworld.HelloReply, error) {
	g.begin(ctx, func(md metadata.MD) { grpc.SetHeader(ctx, md) }, func(md metadata.MD) { grpc.SetTrailer(ctx, md) })
	if behavior(ctx) == "count" {
		return &helloworld.HelloReply{Message: fmt.Sprint(g.over.Load())}, nil
	}
	if err := g.misbehave(ctx, request.Name); err != nil {
		return nil, err
	}
	return &helloworld.HelloReply{Message: "Hello " + request.Name}, nil
}

func (g *greeter) SayHellos(request *helloworld.HelloRequest, stream helloworld.Greeter_SayHellosServer) error {
	g.begin(stream.Context(), func(md metadata.MD) { stream.SetHeader(md) }, stream.SetTrailer)
	for index, text := range []string{"Hello ", "Hello again, ", "Goodbye "} {
		if err := stream.Send(&helloworld.HelloReply{Message: text + request.Name}); err != nil {
			return err
		}
		if index == 0 {
			if err := g.misbehave(stream.Context(), request.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *greeter) GreetAll(stream helloworld.Greeter_GreetAllServer) error {
	g.begin(stream.Context(), func(md metadata.MD) { stream.SetHeader(md) }, stream.SetTrailer)
	var names []string
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		names = append(names, request.Name)
	}
	if err := g.misbehave(stream.Context(), strings.Join(names, ", ")); err != nil {
		return err
	}
	return stream.SendAndClose(&helloworld.HelloReply{Message: "Hello " + strings.Join(names, ", ")})
}

func (g *greeter) Chat(stream helloworld.Greeter_ChatServer) error {
	g.begin(stream.Context(), func(md metadata.MD) { stream.SetHeader(md) }, stream.SetTrailer)
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&helloworld.HelloReply{Message: "Hello " + request.Name}); err != nil {
			return err
		}
		if err := g.misbehave(stream.Context(), request.Name); err != nil {
			return err
		}
	}
}

type country struct {
	countries.UnimplementedCountryServer
	known []*countries.CountryResponse
}

func (c *country) Search(_ context.Context, request *countries.CountryRequest) (*countries.CountryResponse, error) {
	for _, known := range c.known {
		if strings.EqualFold(known.Name, request.Name) {
			return known, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "no country is called %s", request.Name)
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
	listen := flag.String("listen", "127.0.0.1:0", "address")
	countriesFile := flag.String("countries", "", "JSON file of countries")
	cert := flag.String("tls-cert", "", "PEM certificate chain")
	key := flag.String("tls-key", "", "PEM key")
	flag.Parse()

	known, err := readCountries(*countriesFile)
	if err != nil {
		log.Fatal(err)
	}
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessageOctets)}
	if *cert != "" {
		creds, err := credentials.NewServerTLSFromFile(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(creds))
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options...)
	helloworld.RegisterGreeterServer(server, &greeter{})
	countries.RegisterCountryServer(server, &country{known: known})

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		server.Stop()
	}()
	fmt.Printf("listening %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

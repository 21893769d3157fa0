// Encodes the stories of standard input with golang.org/x/net/http2/hpack, to standard output.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime/debug"

	"golang.org/x/net/http2/hpack"
)

type block struct {
	Fields     [][2]string `json:"fields"`
	TableSizes []uint32    `json:"tableSizes,omitempty"`
	Never      []int       `json:"never,omitempty"`
	Wire       string      `json:"wire"`
}

type story struct {
	Name   string   `json:"name"`
	Blocks []*block `json:"blocks"`
}

// latin1 turns characters U+0000 to U+00FF into octets.
func latin1(text string) string {
	var octets []byte
	for _, character := range text {
		octets = append(octets, byte(character))
	}
	return string(octets)
}

func main() {
	var stories []*story
	if err := json.NewDecoder(os.Stdin).Decode(&stories); err != nil {
		panic(err)
	}
	for _, story := range stories {
		var wire bytes.Buffer
		encoder := hpack.NewEncoder(&wire)
		for _, block := range story.Blocks {
			for _, size := range block.TableSizes {
				encoder.SetMaxDynamicTableSizeLimit(size)
				encoder.SetMaxDynamicTableSize(size)
			}
			never := map[int]bool{}
			for _, at := range block.Never {
				never[at] = true
			}
			wire.Reset()
			for at, field := range block.Fields {
				field := hpack.HeaderField{Name: latin1(field[0]), Value: latin1(field[1]), Sensitive: never[at]}
				if err := encoder.WriteField(field); err != nil {
					panic(err)
				}
			}
			block.Wire = hex.EncodeToString(wire.Bytes())
		}
	}
	name := "golang.org/x/net/http2/hpack"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "golang.org/x/net" {
				name += " " + module.Version
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"encoder": name, "stories": stories})
}

// Package translate is what a dialect is written in: a table of rows, each of
// which carries one canonical operation over one call of that dialect, in both
// directions. Read one way (Say, then the answer heard) the table makes an adapter;
// read the other way (Hear, then the answer said) it makes a north-bound server.
//
// The packages below this one hold the tables. None of them does I/O: what a codec
// must know beside the message (the version, the project, a zone's id) comes in an
// Env, which the two engines fill: adapters/wire southwards, gateway/facade
// northwards. Neither engine knows any dialect.
//
// # Wire structs
//
// A body is a struct that mirrors the dialect's specification field by field. Tags
// beside json say what the table must know of a field:
//
//   - since:"2.19", until:"2.46": the versions that have the field. It is neither
//     sent nor accepted outside of them.
//   - wire:"advisory": accepted, but has no canonical place; another cloud is not told.
//   - wire:"binding": cannot be ignored; refused by name where it cannot be carried.
//   - wire:"native": of an answer; has no canonical place and travels in native.
//
// Without a wire tag a field is carried: it has a canonical place.
package translate

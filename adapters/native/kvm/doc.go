// Package kvm manages the servers of one KVM host through its libvirtd. It speaks
// libvirt's protocol itself, over a Unix socket, SSH or TLS; there is no cgo.
//
//	host, err := kvm.Dial(ctx, kvm.Options{Name: "h1", URI: "qemu:///system"})
//	base, err := host.EnsureBase(ctx, imageID, kvm.BaseSource{...})
//	defer base.Release()
//	server, err := host.Define(ctx, kvm.ServerSpec{ID: id, Base: base, ...})
//	server, err = host.Start(ctx, id)
//
// # What is on a host
//
// All of it is named after Options.Prefix and the server's id, a UUID, which is the
// UUID of its domain too. Nothing that a user wrote becomes part of a name or path:
//
//	domain        dragoman-<id>, whose <metadata> holds the Record
//	pool          dragoman-base: one volume per image, and a mark when it is whole
//	pool          dragoman-servers: <id>.qcow2 (overlay), <id>.iso (seed), <id>.log (console)
//	reservations  in libvirt's networks, by MAC addresses that follow from the id
//
// So a host tells by itself what it runs (List), and every step of Define, Start and
// Delete can be done again after a crash: what is there already is taken over, what
// is gone already is no failure.
//
// # Truth
//
// An owner goroutine keeps the connection: it redials with back-off and jitter,
// registers for events again, and then reads the whole list. Get and List answer
// from what it learnt, without asking the host. Events keep that true; a periodic
// reading finds what events missed. Server.SeenAt says how old it is.
//
// # Calls and connections
//
// Calls share one connection. One that hangs ends when its context does, and its
// connection is closed when it still hangs at Options.CallLimit. Uploads and
// downloads have connections of their own (see stream.go for why).
// Errors are canonical: Unavailable while the host cannot be reached, NotFound for
// what it does not have, FailedPrecondition for what its state forbids.
package kvm

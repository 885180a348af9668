package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/gin-gonic/gin"
)

const (
	eventsType = "text/event-stream"
	// heartbeat is how often a quiet stream says that it lives.
	heartbeat = 15 * time.Second
)

// streams says whether a request wants events as they happen: it does unless it asks
// for JSON.
func streams(op *canonical.Spec, h http.Header) bool {
	accept := h.Get("Accept")
	return op == canonical.ListEvents.Spec() && (!strings.Contains(accept, jsonType) || strings.Contains(accept, eventsType))
}

// stream tells the caller's events while it listens, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). It begins after
// Last-Event-ID, else with what happens from now on.
func (g *Gateway) stream(c *gin.Context, op *canonical.Spec, r *reader) {
	req, in, err := g.listen(c, r)
	if err != nil {
		writeError(c.Writer, c.Request, err)
		return
	}
	ctx, cancel := untilDrained(canonical.WithOptions(c.Request.Context(), in.options))
	defer cancel()
	header := c.Writer.Header()
	header.Set("Content-Type", eventsType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // or nginx would hold events back
	for begun := false; ; begun = true {
		caller, err := g.authenticate(c.Request) // each time: keys are revoked
		if err != nil {
			return
		}
		recordOf(ctx).caller = caller
		reply, err := canonical.Do(canonical.WithCaller(ctx, caller), g.opts.Cloud, canonical.Call{Op: op, Request: req})
		events, _ := reply.Result.(canonical.Events)
		switch {
		case err != nil && !begun:
			header.Del("Content-Type")
			writeError(c.Writer, c.Request, err)
			return
		case err != nil:
			return
		}
		deadline(http.NewResponseController(c.Writer).SetWriteDeadline, time.Now().Add(writeTimeout))
		if _, err := c.Writer.Write(eventText(events)); err != nil || ctx.Err() != nil {
			return
		}
		c.Writer.Flush()
		req.After, req.Wait = events.Last, int(heartbeat.Milliseconds())
	}
}

// listen reads the request of a stream.
func (g *Gateway) listen(c *gin.Context, r *reader) (req canonical.EventList, in *input, err error) {
	if _, err := g.authenticate(c.Request); err != nil {
		return req, nil, err
	}
	last := c.Request.Header.Get("Last-Event-ID")
	c.Request.Header.Del("Accept") // what it accepts is known
	if in, err = r.read(c); err != nil {
		return req, nil, err
	}
	req, _ = in.request.Interface().(canonical.EventList)
	switch {
	case last != "":
		if req.After, err = strconv.ParseInt(last, 10, 64); err != nil || req.After < 0 {
			req.After = 1<<63 - 1 // no event has it: the answer begins with a gap
		}
	case !in.query.Has("after"):
		req.After = -1
	}
	req.Wait = 0 // the first answer comes at once, so that clients see the stream open
	return req, in, nil
}

// untilDrained is a context that also ends when the process begins to drain.
func untilDrained(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-draining(ctx):
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// eventText is some events as text; where there are none, a comment.
func eventText(e canonical.Events) []byte {
	var b bytes.Buffer
	if e.Gap {
		b.WriteString("event: gap\ndata: {}\n\n")
	}
	for _, one := range e.Items {
		fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", one.ID, one.Type, bytes.ReplaceAll(one.Data, []byte("\n"), nil))
	}
	if b.Len() == 0 {
		b.WriteString(": still here\n\n")
	}
	return b.Bytes()
}

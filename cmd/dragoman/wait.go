package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Pauses between questions about long work.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
)

// watch asks about the task until it ends, and tells w whenever it has come further.
func watch(ctx context.Context, cloud canonical.Cloud, task *canonical.Task, name string, w io.Writer) error {
	last := ""
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		p, err := task.Check(ctx, cloud)
		if _, again := canonical.Retryable(err); err != nil && !again {
			return err
		}
		if line := progressLine(name, p); err == nil && line != last {
			fmt.Fprintln(w, line)
			last = line
		}
		if err == nil && p.Verdict != canonical.TaskRunning {
			return endOf(p)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w\n  the work goes on: dragoman operation get %s", ctx.Err(), task.Job)
		case <-timer.C:
		}
	}
}

func progressLine(name string, p canonical.Progress) string {
	line := fmt.Sprintf("%s: %s", name, p.Verdict)
	if p.Verdict == canonical.TaskRunning {
		line += fmt.Sprintf(" %d%%", p.Percent)
	}
	for _, r := range p.Resources {
		line += " " + string(r.ID)
	}
	return line
}

func endOf(p canonical.Progress) error {
	switch {
	case p.Verdict == canonical.TaskSucceeded:
		return nil
	case p.Err != nil:
		return p.Err
	default:
		return canonical.Errorf(canonical.UpstreamError, "the work failed")
	}
}

// showEnd shows what finished work made: the operation's result, or nothing where
// the operation has none.
func (v *verb) showEnd(ctx context.Context, cloud canonical.Cloud, reply canonical.Reply, show *printer) error {
	if v.op.Result == reflect.TypeFor[canonical.None]() {
		return nil
	}
	r, err := canonical.GetOperation.Do(ctx, cloud, canonical.OperationGet{ID: reply.Task.Job})
	if err != nil {
		return err
	}
	if raw := r.Result.Result; len(raw) > 0 && string(raw) != "null" {
		result := reflect.New(v.op.Result)
		if err := json.Unmarshal(raw, result.Interface()); err != nil {
			return canonical.Errorf(canonical.UpstreamError, "the operation's result is of another kind")
		}
		return show.result(result.Elem().Interface())
	}
	return show.result(r.Result)
}

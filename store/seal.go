package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// proofPlace is where the proof of the key is sealed.
var proofPlace = []byte("proof")

// ErrOtherKey says that a store is sealed with a key that the Box does not have.
var ErrOtherKey = errors.New("the store is sealed with another key than secret_key holds")

// ProveKey refuses with ErrOtherKey a box that cannot open what the store holds: who
// went on would make every key of the API invalid. A new store is sealed with this box.
func (s *Store) ProveKey(ctx context.Context, box *Box) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('proof', ?) ON CONFLICT DO NOTHING`, proof(box))
	if err != nil {
		return failed(err, "setting")
	}
	return s.CheckKey(ctx, box)
}

// CheckKey is ErrOtherKey where the box does not open what the store holds by now: it
// was sealed anew with a key that the process was not given. It changes nothing.
func (s *Store) CheckKey(ctx context.Context, box *Box) error {
	_, _, err := s.proof(ctx, box)
	return err
}

func proof(box *Box) string {
	return base64.StdEncoding.EncodeToString(box.Seal([]byte("dragoman"), proofPlace))
}

// proof is the proof as it is stored; first: the first key has sealed it.
func (s *Store) proof(ctx context.Context, box *Box) (text string, first bool, err error) {
	if err := s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'proof'`).Scan(&text); err != nil {
		return "", false, failed(err, "setting")
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", false, failed(err, "setting")
	}
	_, changed, err := box.Reseal(sealed, proofPlace)
	if err != nil {
		return "", false, ErrOtherKey
	}
	return text, !changed, nil
}

// KeyPlace is where the secret of a key of the API is sealed.
func KeyPlace(id canonical.ID) []byte { return []byte("key " + id) }

// Resealed counts what Reseal has done.
type Resealed struct {
	Resealed int // that were sealed with another key than the first
	Lost     int // that no key of the box opens
}

// Reseal seals with the first key of the box what is sealed with another: keys of the
// API and kept answers. It may run while processes serve, and again; who cannot open
// what it writes must have been given the first key before.
func (s *Store) Reseal(ctx context.Context, box *Box) (done Resealed, err error) {
	text, first, err := s.proof(ctx, box)
	if err == nil && !first {
		_, err = s.db.ExecContext(ctx, `UPDATE settings SET value = ? WHERE name = 'proof' AND value = ?`, proof(box), text)
	}
	if err != nil {
		return done, err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return done, err
	}
	for _, k := range keys {
		err := done.reseal(box, k.Seal, KeyPlace(k.ID), func(anew []byte) error {
			_, err := s.db.ExecContext(ctx, `UPDATE api_keys SET seal = ? WHERE id = ? AND seal = ?`, anew, string(k.ID), k.Seal)
			return err
		})
		if err != nil {
			return done, failed(err, "key")
		}
	}
	return done, s.resealAnswers(ctx, box, &done)
}

func (s *Store) resealAnswers(ctx context.Context, box *Box, done *Resealed) error {
	rows, err := s.db.QueryContext(ctx, `SELECT key, answer FROM repeats WHERE answer IS NOT NULL`)
	answers, err := collect(rows, err, "repeat", func(r *sql.Rows) (a Repeat, err error) { return a, r.Scan(&a.Key, &a.Answer) })
	if err != nil {
		return err
	}
	for _, a := range answers {
		err := done.reseal(box, a.Answer, a.Key, func(anew []byte) error {
			_, err := s.db.ExecContext(ctx, `UPDATE repeats SET answer = ? WHERE key = ? AND answer = ?`, anew, a.Key, a.Answer)
			return err
		})
		if err != nil {
			return failed(err, "repeat")
		}
	}
	return nil
}

func (d *Resealed) reseal(box *Box, sealed, place []byte, write func(anew []byte) error) error {
	anew, changed, err := box.Reseal(sealed, place)
	switch {
	case err != nil:
		d.Lost++
		return nil //nolint:nilerr // it is counted: the others are resealed all the same
	case !changed:
		return nil
	}
	d.Resealed++
	return write(anew)
}

// String implements fmt.Stringer.
func (d Resealed) String() string {
	return fmt.Sprintf("%d resealed, %d cannot be opened", d.Resealed, d.Lost)
}

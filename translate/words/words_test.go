package words_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

func TestStatesComeBack(t *testing.T) {
	for _, s := range canonical.ServerStatuses {
		if got := words.HearStatus(words.SayStatus(s, "")); got != s {
			t.Errorf("status %s becomes %s", s, got)
		}
	}
	for _, p := range canonical.Powers {
		if got := words.HearPower(words.SayPower(p)); got != p {
			t.Errorf("power %s becomes %s", p, got)
		}
	}
	if got := words.SayStatus(canonical.ServerRebooting, "HARD_REBOOT"); got != "HARD_REBOOT" {
		t.Errorf("a cloud's own word becomes %s", got)
	}
	for _, native := range []string{"", "ACTIVE", "NO_SUCH_WORD"} {
		if got := words.SayStatus(canonical.ServerUnknown, native); got != "UNKNOWN" {
			t.Errorf("unknown, natively %q, becomes %s", native, got)
		}
	}
}

// FuzzText: numbers that travel as text come back, all else is refused.
func FuzzText(f *testing.F) {
	for _, seed := range []string{`"1"`, `1`, `""`, `null`, `"x"`, `"99999999999"`, `-1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var n, again words.Text
		if json.Unmarshal(b, &n) != nil {
			return
		}
		said, err := json.Marshal(n)
		if err != nil || json.Unmarshal(said, &again) != nil || again != n {
			t.Errorf("%q is %d, said %s, heard %d: %v", b, n, said, again, err)
		}
	})
}

// FuzzTime: what is a time stays that time in the layout that most dialects have.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000006", "2026-01-02T03:04:05+08:00", "", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := words.Time(text)
		if first == nil {
			return
		}
		said := words.Stamp(first, time.RFC3339Nano)
		if again := words.Time(said); again == nil || !again.Equal(*first) {
			t.Errorf("%q is %s, and then %v", text, said, again)
		}
	})
}

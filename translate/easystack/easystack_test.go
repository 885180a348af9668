package easystack_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/translate/easystack"
)

// TestEveryCall: each call of the product's document is named by one row, and no row is
// named after a call that the document lacks.
func TestEveryCall(t *testing.T) {
	f, err := os.Open("../../../shared/catalog/easystack.yaml")
	if os.IsNotExist(err) {
		t.Skip("the operation catalogue is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, row := range easystack.Table().Rows {
		for _, id := range append(row.Also, row.ID) {
			rows[id]++
		}
	}
	calls := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		id, ok := strings.CutPrefix(lines.Text(), "  - id: ")
		if !ok {
			continue
		}
		calls[id] = true
		if rows[id] != 1 {
			t.Errorf("%s is named by %d rows", id, rows[id])
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 55 {
		t.Errorf("%d calls in the catalogue", len(calls))
	}
	for id := range rows {
		if strings.HasPrefix(id, "easystack.") && !calls[id] {
			t.Errorf("row %s is no call of the document", id)
		}
	}
}

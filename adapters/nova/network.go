package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// listAddresses takes the addresses from the server: what Nova has a call for tells
// neither their kind nor their port's MAC.
func (c *Cloud) listAddresses(ctx context.Context, r canonical.ServerAddressList) (canonical.TypedReply[canonical.ServerAddresses], error) {
	s, err := canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: r.ID})
	if err != nil {
		return canonical.TypedReply[canonical.ServerAddresses]{}, err
	}
	out, known := canonical.ServerAddresses{Items: []canonical.Address{}}, r.Network == ""
	for _, a := range s.Result.Addresses {
		if r.Network == "" || a.Network == r.Network {
			out.Items, known = append(out.Items, a), true
		}
	}
	if !known {
		return canonical.TypedReply[canonical.ServerAddresses]{}, canonical.Errorf(canonical.NotFound, "server %s is not on a network %s", r.ID, r.Network)
	}
	return canonical.TypedReply[canonical.ServerAddresses]{Result: out, AsOf: s.AsOf}, nil
}

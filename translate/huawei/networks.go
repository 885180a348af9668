package huawei

import (
	"cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// subnet is a network as the VPC service tells it: what it calls a subnet is what
// nics[].subnet_id means.
type subnet struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	CIDR   string `json:"cidr"`
	VPC    string `json:"vpc_id" wire:"native"`
	Status string `json:"status"`
}

type subnetBody struct {
	Subnet subnet `json:"subnet"`
}

func saySubnet(r canonical.TypedReply[canonical.Network], _ *translate.Env, _ *translate.Response) (subnetBody, error) {
	n := r.Result
	own, _ := n.Native["vpc_id"].(string)
	w := subnet{ID: string(n.ID), Name: n.Name, VPC: cmp.Or(own, string(n.ID)), Status: "UNKNOWN"}
	if n.Status == canonical.NetworkActive {
		w.Status = "ACTIVE"
	}
	if len(n.CIDRs) > 0 {
		w.CIDR = n.CIDRs[0]
	}
	return subnetBody{w}, nil
}

func hearSubnet(w subnetBody, _ *translate.Response, env *translate.Env) (canonical.Network, error) {
	n := canonical.Network{
		ID: canonical.ID(w.Subnet.ID), Name: w.Subnet.Name, CIDRs: []string{}, Subnets: []canonical.ID{},
		AdminUp: true, Status: canonical.NetworkUnknown, NativeStatus: w.Subnet.Status, Tags: []string{},
	}
	if w.Subnet.Status == "ACTIVE" {
		n.Status = canonical.NetworkActive
	}
	if cidr := words.Filled(w.Subnet.CIDR); cidr != nil {
		n.CIDRs = append(n.CIDRs, *cidr)
	}
	if env.Native {
		n.Native = map[string]any{"vpc_id": w.Subnet.VPC}
	}
	return n, nil
}

package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

func TestMoved(t *testing.T) {
	step := &plan.Reassign{Moves: []plan.Move{
		{Partition: 0, From: []int32{1, 2}, To: []int32{1, 2, 3}},
		{Partition: 1, From: []int32{1}, To: []int32{3, 4}},
		{Partition: 2, From: []int32{5, 6}, To: []int32{6}},    // only goes
		{Partition: 3, From: []int32{7, 8}, To: []int32{8, 7}}, // only leads otherwise
		{Partition: 9, From: []int32{1}, To: []int32{2}},       // new, so it has no size
	}}
	sizes := live.Sizes{{1: 100, 2: 80}, {1: 30}, {5: 7}, {7: 9}}
	got := plan.Moved(step, sizes)
	want := plan.Traffic{Copies: 4, From: []int32{1, 2}, To: []int32{2, 3, 4}, Bytes: new(int64(160))}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(plan.Traffic{})); diff != "" {
		t.Error(diff)
	}
	if took := got.Time(10); took != 13*time.Second { // broker 3 copies 130
		t.Error(took)
	}
	if unknown := plan.Moved(step, nil); unknown.Bytes != nil || unknown.Copies != 4 {
		t.Errorf("%+v", unknown)
	}
}

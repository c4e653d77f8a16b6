package protobuf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// MaxDescriptors bounds a descriptor file.
const MaxDescriptors = 64 << 20

// Schema holds message types and methods by name, immutable once built.
type Schema struct {
	messages map[string]*Message
	methods  map[string]Method
}

// Method is a method's types.
type Method struct{ Request, Response *Message }

// Message is a message type. A nil one knows no field.
type Message struct {
	schema *Schema
	fields []*Field // by number
	near   [16]*Field
	form   form
}

// Field is a field of a message type.
type Field struct {
	num     uint32
	name    []byte // as in JSON
	kind    protoreflect.Kind
	list    bool
	entry   *Message // of a map
	message *Message
	enum    map[int32][]byte
	null    bool // an enumeration that JSON writes as null
}

// form is how JSON writes a message.
type form uint8

const (
	object    form = iota
	single         // as its only field: wrappers, Struct, Value, ListValue
	timestamp      // as a string
	anything       // as an object of the type it names
)

var forms = map[protoreflect.FullName]form{
	"google.protobuf.DoubleValue": single, "google.protobuf.FloatValue": single,
	"google.protobuf.Int64Value": single, "google.protobuf.UInt64Value": single,
	"google.protobuf.Int32Value": single, "google.protobuf.UInt32Value": single,
	"google.protobuf.BoolValue": single, "google.protobuf.StringValue": single,
	"google.protobuf.BytesValue": single, "google.protobuf.Struct": single,
	"google.protobuf.Value": single, "google.protobuf.ListValue": single,
	"google.protobuf.Timestamp": timestamp, "google.protobuf.Any": anything,
}

func (m *Message) kind() form {
	if m == nil {
		return object
	}
	return m.form
}

func (m *Message) field(num uint32) *Field {
	switch {
	case m == nil:
		return nil
	case num < uint32(len(m.near)):
		return m.near[num]
	}
	i, ok := slices.BinarySearchFunc(m.fields, num, func(f *Field, num uint32) int { return int(f.num) - int(num) })
	if !ok {
		return nil
	}
	return m.fields[i]
}

// Add takes in the types and methods of a FileDescriptorSet, as `protoc -o`
// and `buf build -o` write it. A name that is already known keeps its first
// meaning.
func (s *Schema) Add(b []byte) error {
	var set descriptorpb.FileDescriptorSet
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &set); err != nil || len(set.File) == 0 {
		return errors.New("it is no FileDescriptorSet; make one with `protoc --include_imports -o FILE` or `buf build -o FILE`")
	}
	addWellKnown(&set)
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return fmt.Errorf("its descriptors do not fit together: %w", err)
	}
	if s.messages == nil {
		s.messages, s.methods = map[string]*Message{}, map[string]Method{}
	}
	build := builder{schema: s, made: map[protoreflect.FullName]*Message{}}
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		build.messages(f.Messages())
		for i := range f.Services().Len() {
			d := f.Services().Get(i)
			for j := range d.Methods().Len() {
				m := d.Methods().Get(j)
				key := string(d.FullName()) + "/" + string(m.Name())
				if _, ok := s.methods[key]; !ok {
					s.methods[key] = Method{build.message(m.Input()), build.message(m.Output())}
				}
			}
		}
		return true
	})
	if len(build.missing) > 0 {
		return fmt.Errorf("it lacks %s, which its messages use; make it with its imports: `protoc --include_imports -o FILE` or `buf build -o FILE`", slices.Min(build.missing))
	}
	return nil
}

// addWellKnown adds the files that every compiler brings along.
func addWellKnown(set *descriptorpb.FileDescriptorSet) {
	has := map[string]bool{}
	for _, f := range set.File {
		has[f.GetName()] = true
	}
	for _, f := range []protoreflect.FileDescriptor{
		anypb.File_google_protobuf_any_proto, durationpb.File_google_protobuf_duration_proto,
		emptypb.File_google_protobuf_empty_proto, fieldmaskpb.File_google_protobuf_field_mask_proto,
		structpb.File_google_protobuf_struct_proto, timestamppb.File_google_protobuf_timestamp_proto,
		wrapperspb.File_google_protobuf_wrappers_proto,
	} {
		if !has[f.Path()] {
			set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
		}
	}
}

type builder struct {
	schema  *Schema
	made    map[protoreflect.FullName]*Message // of this set
	missing []string
}

func (b *builder) messages(list protoreflect.MessageDescriptors) {
	for i := range list.Len() {
		d := list.Get(i)
		m := b.message(d)
		if name := string(d.FullName()); b.schema.messages[name] == nil {
			b.schema.messages[name] = m
		}
		b.messages(d.Messages())
	}
}

func (b *builder) message(d protoreflect.MessageDescriptor) *Message {
	if m, ok := b.made[d.FullName()]; ok {
		return m
	}
	if d.IsPlaceholder() {
		b.missing = append(b.missing, string(d.FullName()))
		b.made[d.FullName()] = nil
		return nil
	}
	m := &Message{schema: b.schema, form: forms[d.FullName()]}
	b.made[d.FullName()] = m
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := &Field{num: uint32(fd.Number()), name: []byte(fd.JSONName()), kind: fd.Kind(), list: fd.Cardinality() == protoreflect.Repeated}
		switch {
		case fd.IsMap():
			f.entry = b.message(fd.Message())
		case fd.Message() != nil:
			f.message = b.message(fd.Message())
		case fd.Enum() != nil && !fd.Enum().IsPlaceholder():
			f.enum, f.null = enum(fd.Enum().Values()), fd.Enum().FullName() == "google.protobuf.NullValue"
		}
		m.fields = append(m.fields, f)
	}
	slices.SortFunc(m.fields, func(a, b *Field) int { return int(a.num) - int(b.num) })
	for _, f := range m.fields {
		if f.num < uint32(len(m.near)) {
			m.near[f.num] = f
		}
	}
	return m
}

func enum(list protoreflect.EnumValueDescriptors) map[int32][]byte {
	m := make(map[int32][]byte, list.Len())
	for i := range list.Len() {
		v := list.Get(i)
		if m[int32(v.Number())] == nil {
			m[int32(v.Number())] = []byte(v.Name())
		}
	}
	return m
}

// Method gives the types of a method by the path it is called at, which may
// have a prefix: "/package.Service/Method".
func (s *Schema) Method(path []byte) (m Method, ok bool) {
	if s == nil {
		return m, false
	}
	if i := bytes.LastIndexByte(path, '/'); i > 0 {
		if j := bytes.LastIndexByte(path[:i], '/'); j >= 0 {
			path = path[j+1:]
		}
	}
	m, ok = s.methods[string(path)]
	return m, ok
}

// Methods is the number of methods known.
func (s *Schema) Methods() int { return len(s.methods) }

// any gives the type that an Any names: "type.googleapis.com/package.Message".
func (s *Schema) any(url []byte) *Message {
	return s.messages[string(url[bytes.LastIndexByte(url, '/')+1:])]
}

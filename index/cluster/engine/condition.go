package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Condition limits the objects that a query finds. The zero Condition lets all pass.
type Condition struct{ text string }

// IsZero reports whether it lets all pass.
func (c Condition) IsZero() bool { return c.text == "" }

func comparison(operator, property, kind, value string) Condition {
	return Condition{fmt.Sprintf(`{operator:%s,path:[%s],%s:%s}`, operator, quote(property), kind, value)}
}

// Equal lets pass what has the text, or the word of a text.
func Equal(property, value string) Condition {
	return comparison("Equal", property, "valueText", quote(value))
}

// Is lets pass what says yes, or no.
func Is(property string, yes bool) Condition {
	return comparison("Equal", property, "valueBoolean", strconv.FormatBool(yes))
}

// AtLeast and Below limit a number.
func AtLeast(property string, value float64) Condition {
	return comparison("GreaterThanEqual", property, "valueNumber", number(value))
}

// Below lets pass what is smaller.
func Below(property string, value float64) Condition {
	return comparison("LessThan", property, "valueNumber", number(value))
}

// AtMost lets pass what is not greater.
func AtMost(property string, value float64) Condition {
	return comparison("LessThanEqual", property, "valueNumber", number(value))
}

// Like lets pass what a pattern with * and ? matches.
func Like(property, pattern string) Condition {
	return comparison("Like", property, "valueText", quote(pattern))
}

// OneOf lets pass what has one of some texts; nothing, where there are none.
func OneOf(property string, values []string) Condition {
	if len(values) == 0 {
		return Nothing()
	}
	return comparison("ContainsAny", property, "valueText", texts(values))
}

// IDs lets pass the objects of some IDs; nothing, where there are none.
func IDs(ids []string) Condition { return OneOf("id", ids) }

// Nothing lets nothing pass.
func Nothing() Condition {
	return Equal("id", "00000000-0000-0000-0000-000000000000")
}

// All lets pass what passes all of some conditions.
func All(conditions ...Condition) Condition { return join("And", conditions) }

// Any lets pass what passes one of some conditions, none of which is zero; nothing, where
// there are none.
func Any(conditions ...Condition) Condition {
	if len(conditions) == 0 {
		return Nothing()
	}
	return join("Or", conditions)
}

func join(operator string, conditions []Condition) Condition {
	var operands []string
	for _, condition := range conditions {
		if condition.text != "" {
			operands = append(operands, condition.text)
		}
	}
	switch len(operands) {
	case 0:
		return Condition{}
	case 1:
		return Condition{operands[0]}
	}
	return Condition{fmt.Sprintf("{operator:%s,operands:[%s]}", operator, strings.Join(operands, ","))}
}

// quote gives a literal of GraphQL, which is one of JSON.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return `""` // no text gives an error
	}
	return string(quoted)
}

func texts(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quote(value)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// number gives a literal of a float: GraphQL's integers have 32 bits.
func number(value float64) string {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		value = math.Copysign(math.MaxFloat64, value)
	}
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

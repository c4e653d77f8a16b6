package password

import (
	"math"
	"strings"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/match"
	zxcvbnmath "github.com/ccojocar/zxcvbn-go/utils/math"
)

// keyboards holds the adjacency of keys as tables. zxcvbn-go unpacks and
// parses its keyboard file again for every keyboard walk that it rates, 1 ms
// each; this is the same matcher over tables made once. Its test compares both.
type keyboards []keyboard

type keyboard struct {
	name   string
	starts float64 // keys
	degree float64 // average number of neighbours
	// step is 1 + the direction from one key to the next, 0 when they are not
	// neighbours; shifted steps have the high bit.
	step [128][128]uint8
}

const shiftedStep = 0x80

func newKeyboards() keyboards {
	qwerty, keypad := adjacency.GraphMap["qwerty"], adjacency.GraphMap["keypad"]
	var boards keyboards
	for _, name := range [...]string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		g := adjacency.GraphMap[name]
		k := keyboard{name: name, starts: float64(len(keypad.Graph)), degree: keypad.CalculateAvgDegree()}
		if name == "qwerty" || name == "dvorak" {
			k.starts, k.degree = float64(len(qwerty.Graph)), qwerty.CalculateAvgDegree()
		}
		for from, neighbours := range g.Graph {
			if len(from) != 1 || from[0] >= 128 {
				continue
			}
			for to := range 128 {
				for direction, keys := range neighbours {
					i := strings.IndexByte(keys, byte(to))
					if i < 0 {
						continue
					}
					k.step[from[0]][to] = uint8(direction + 1)
					if i == 1 {
						k.step[from[0]][to] |= shiftedStep
					}
					break
				}
			}
		}
		boards = append(boards, k)
	}
	return boards
}

// matches gives the keyboard walks of three keys and more. pw is ASCII.
func (k keyboards) matches(pw string) (found []match.Match) {
	for n := range k {
		board := &k[n]
		for i := 0; i < len(pw)-1; {
			j, turns, shifted, last := i+1, 0, 0, uint8(0)
			for ; j < len(pw); j++ {
				step := board.step[pw[j-1]][pw[j]]
				if step == 0 {
					break
				}
				if step&shiftedStep != 0 {
					shifted++
				}
				if step&^shiftedStep != last {
					last = step &^ shiftedStep
					turns++
				}
			}
			if j-i > 2 {
				found = append(found, match.Match{Pattern: "spatial", I: i, J: j - 1, Token: pw[i:j], DictionaryName: board.name, Entropy: board.entropy(j-i, turns, shifted)})
			}
			i = j
		}
	}
	return found
}

func (k *keyboard) entropy(length, turns, shifted int) float64 {
	possibilities := 0.0
	for i := 2; i <= length+1; i++ {
		for j := 1; j <= min(turns, i-1)+1; j++ {
			possibilities += zxcvbnmath.NChoseK(float64(i-1), float64(j-1)) * k.starts * math.Pow(k.degree, float64(j))
		}
	}
	bits := math.Log2(possibilities)
	if shifted > 0 {
		possibilities = 0
		for i := 0; i < min(shifted, length-shifted)+1; i++ {
			possibilities += zxcvbnmath.NChoseK(float64(length), float64(i))
		}
		bits += math.Log2(possibilities)
	}
	return bits
}

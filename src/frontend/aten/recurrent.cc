// LSTM, GRU and plain RNN, unrolled over a static sequence. The input's product with its weights is one
// matrix product for all steps; only the hidden state's is done step by step.
#include <fmt/core.h>

#include <algorithm>

#include "frontend/aten/matmul.h"
#include "frontend/aten/rules.h"

namespace etalon::frontend {
namespace {

enum class Cell : std::uint8_t { kLstm, kGru, kTanh, kRelu };

struct Weights {
  ValueId input, hidden;
  ValueId input_bias = ir::kNoValue;
  ValueId hidden_bias = ir::kNoValue;
  ValueId projection = ir::kNoValue;  // LSTM with proj_size
};

struct State {
  ValueId hidden = ir::kNoValue;
  ValueId cell = ir::kNoValue;
};

ValueId sigmoid(Lowering& lo, ValueId x) { return lo.op("aten::sigmoid", x); }
ValueId tanh(Lowering& lo, ValueId x) { return lo.op("aten::tanh", x); }

ValueIds gates_of(Lowering& lo, ValueId x, std::int64_t count) {
  return lo.aten_all("aten::chunk", x, count, -1);
}

// input, forget, cell, output
State lstm_step(Lowering& lo, ValueId from_input, const State& state, const Weights& w) {
  const ValueIds gates =
      gates_of(lo, lo.add(from_input, linear_of(lo, state.hidden, w.hidden, w.hidden_bias)), 4);
  const ValueId kept = lo.mul(sigmoid(lo, gates[1]), state.cell);
  const ValueId cell = lo.add(kept, lo.mul(sigmoid(lo, gates[0]), tanh(lo, gates[2])));
  ValueId hidden = lo.mul(sigmoid(lo, gates[3]), tanh(lo, cell));
  if (w.projection != ir::kNoValue) hidden = linear_of(lo, hidden, w.projection, ir::kNoValue);
  return {hidden, cell};
}

// reset, update, new: h' = n + z * (h - n)
State gru_step(Lowering& lo, ValueId from_input, const State& state, const Weights& w) {
  const ValueIds x = gates_of(lo, from_input, 3);
  const ValueIds h = gates_of(lo, linear_of(lo, state.hidden, w.hidden, w.hidden_bias), 3);
  const ValueId reset = sigmoid(lo, lo.add(x[0], h[0]));
  const ValueId update = sigmoid(lo, lo.add(x[1], h[1]));
  const ValueId candidate = tanh(lo, lo.add(x[2], lo.mul(reset, h[2])));
  return {lo.add(candidate, lo.mul(update, lo.sub(state.hidden, candidate))), ir::kNoValue};
}

State step(Lowering& lo, Cell cell, ValueId from_input, const State& state, const Weights& w) {
  if (cell == Cell::kLstm) return lstm_step(lo, from_input, state, w);
  if (cell == Cell::kGru) return gru_step(lo, from_input, state, w);
  const ValueId sum = lo.add(from_input, linear_of(lo, state.hidden, w.hidden, w.hidden_bias));
  return {lo.op(cell == Cell::kTanh ? "aten::tanh" : "aten::relu", sum), ir::kNoValue};
}

struct Direction {
  ValueId sequence;  // [T, B, H]
  State last;
};

// x is [T, B, I].
Direction run_direction(Lowering& lo, Cell cell, ValueId x, State state, const Weights& w, bool backward) {
  const std::int64_t steps = lo.static_size(x, 0);
  constexpr std::int64_t kMaxSteps = 4096;
  if (steps <= 0 || steps > kMaxSteps)
    refuse(fmt::format("a recurrent layer over {} steps is not supported (at most {})", steps, kMaxSteps));
  const ValueIds inputs = lo.aten_all("aten::unbind.int", linear_of(lo, x, w.input, w.input_bias), 0);
  ValueIds outputs(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t at = backward ? inputs.size() - 1 - i : i;
    state = step(lo, cell, inputs[at], state, w);
    outputs[at] = state.hidden;
  }
  return {lo.aten("aten::stack", outputs, 0), state};
}

struct Stack {
  Cell cell;
  ValueId input;
  ValueId hidden;  // [layers * directions, B, H]
  ValueId cells = ir::kNoValue;
  ValueIds params;
  bool has_biases, bidirectional, batch_first;
  std::int64_t layers;
};

Weights weights_at(const Stack& s, std::size_t index) {
  const std::size_t rows = static_cast<std::size_t>(s.layers) * (s.bidirectional ? 2 : 1);
  const std::size_t each = rows == 0 ? 0 : s.params.size() / rows;
  const std::size_t plain = s.has_biases ? 4u : 2u;
  if (each < plain || each * rows != s.params.size()) {
    refuse_input(fmt::format("{} weights for {} layers and directions", s.params.size(), rows));
  }
  const ValueId* p = s.params.data() + index * each;
  Weights w{p[0], p[1]};
  if (s.has_biases) {
    w.input_bias = p[2];
    w.hidden_bias = p[3];
  }
  if (each > plain) w.projection = p[plain];
  return w;
}

ValueIds run_stack(Lowering& lo, const Stack& s) {
  const bool unbatched = lo.rank(s.input) == 2;
  ValueId x = unbatched ? lo.unsqueeze(s.input, 1) : s.batch_first ? lo.transpose(s.input, 0, 1) : s.input;
  const auto batched = [&](ValueId v) { return v != ir::kNoValue && unbatched ? lo.unsqueeze(v, 1) : v; };
  const ValueId hidden = batched(s.hidden);
  const ValueId cells = batched(s.cells);
  ValueIds last_hidden, last_cells;
  const std::size_t directions = s.bidirectional ? 2 : 1;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(s.layers); ++layer) {
    ValueIds sequences;
    for (std::size_t d = 0; d < directions; ++d) {
      const std::size_t row = layer * directions + d;
      const auto at = static_cast<std::int64_t>(row);
      const State start{lo.select(hidden, 0, at),
                        cells == ir::kNoValue ? ir::kNoValue : lo.select(cells, 0, at)};
      const Direction out = run_direction(lo, s.cell, x, start, weights_at(s, row), d == 1);
      sequences.push_back(out.sequence);
      last_hidden.push_back(out.last.hidden);
      last_cells.push_back(out.last.cell);
    }
    x = lo.cat(sequences, -1);
  }
  const auto unbatch = [&](ValueId v) { return unbatched ? lo.squeeze(v, 1) : v; };
  ValueIds out = {unbatched       ? lo.squeeze(x, 1)
                  : s.batch_first ? lo.transpose(x, 0, 1)
                                  : x,
                  unbatch(lo.aten("aten::stack", last_hidden, 0))};
  if (s.cell == Cell::kLstm) out.push_back(unbatch(lo.aten("aten::stack", last_cells, 0)));
  return out;
}

// input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first
Stack stack_of(Cell cell, const Args& a) {
  if (a.flag(6) && a.number(5) != 0)
    refuse("the model is in training mode; call model.eval() before torch.export.export");
  Stack s{cell,      a.tensor(0), ir::kNoValue, ir::kNoValue, a.tensors(2),
          a.flag(3), a.flag(7),   a.flag(8),    a.integer(4)};
  if (cell == Cell::kLstm) {
    if (a.tensors(1).size() != 2) refuse_input("an LSTM wants two states");
    s.hidden = a.tensors(1)[0];
    s.cells = a.tensors(1)[1];
  } else {
    s.hidden = a.tensor(1);
  }
  return s;
}

template <Cell kCell>
ValueIds layers(Lowering& lo, const Args& a) {
  return run_stack(lo, stack_of(kCell, a));
}

template <Cell kCell>
ValueIds one_cell(Lowering& lo, const Args& a) {
  const Weights w{a.tensor(2), a.tensor(3), a.tensor_or_none(4), a.tensor_or_none(5)};
  State state;
  if (kCell == Cell::kLstm) {
    state = {a.tensors(1).at(0), a.tensors(1).at(1)};
  } else {
    state.hidden = a.tensor(1);
  }
  const State next = step(lo, kCell, linear_of(lo, a.tensor(0), w.input, w.input_bias), state, w);
  if (kCell == Cell::kLstm) return {next.hidden, next.cell};
  return {next.hidden};
}

constexpr Rule kRows[] = {
    {"aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, "
     "bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)",
     layers<Cell::kLstm>},
    {"aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, "
     "bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     layers<Cell::kGru>},
    {"aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, "
     "bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     layers<Cell::kTanh>},
    {"aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float "
     "dropout, bool train, "
     "bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
     layers<Cell::kRelu>},
    {"aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> "
     "(Tensor, Tensor)",
     one_cell<Cell::kLstm>},
    {"aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> Tensor",
     one_cell<Cell::kGru>},
    {"aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> Tensor",
     one_cell<Cell::kTanh>},
    {"aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None) -> Tensor",
     one_cell<Cell::kRelu>},
};

}  // namespace

constinit const RuleFamily kRecurrentRules{kRows};

}  // namespace etalon::frontend

// A sweep of quantisations, and what layers cost on int8, for people. Like all writers these compute nothing.
#pragma once

#include <cstddef>
#include <string>

#include "analysis/layer_costs.h"
#include "analysis/quantisation_sweep.h"
#include "report/writers.h"

namespace etalon::report {

// The table, a scatter of latency and accuracy in letters, what was left out and why, the recommendation.
std::string write_sweep_terminal(const analysis::QuantisationSweep& sweep, const Style& style);

// Layers worth leaving in float, at most `most`; the sums that belong to none.
std::string write_layer_costs_terminal(const analysis::LayerCosts& costs, const Style& style,
                                       std::size_t most);

// One self-contained page with the scatter as SVG.
std::string write_sweep_html(const analysis::QuantisationSweep& sweep);

// "this layer costs 0.8 dB and saves 40 us": what is known of one layer.
std::string layer_sentence(const analysis::LayerCost& cost);

// "31.3 dB", "exact", "no signal", "not finite".
std::string decibels(const std::optional<double>& snr_db);

}  // namespace etalon::report

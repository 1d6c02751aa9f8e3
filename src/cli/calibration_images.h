// Images as model inputs: decode, resize, crop, normalise, lay out.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/tensor.h"

namespace etalon::cli {

// torchvision's for models of ImageNet unless said otherwise.
struct ImagePreprocessing {
  std::array<float, 3> mean{0.485f, 0.456f, 0.406f};  // of values in [0, 1], red, green, blue
  std::array<float, 3> deviation{0.229f, 0.224f, 0.225f};
  int resize = 0;  // the shorter side before the centre is cut out; 0: 8/7 of the input's, as 256 for 224
  bool stated = false;  // given by flags or by the model, not assumed
};

bool is_image_name(const std::string& path);

// The image as an input of these sizes: [1, C, H, W] or [1, H, W, C] with C of 1 (grey, the first mean) or 3.
// Resized with a triangle filter as PIL's BILINEAR, the centre cut out. Errors: kInvalidInput (not an image,
// sizes that are not those of images), kIo, kNotFound.
Result<runtime::Tensor> read_image(const std::string& path, const Dims& sizes,
                                   const ImagePreprocessing& preprocessing);

}  // namespace etalon::cli

"""Points and weights on [0, 1] as ONNX graphs, which use the steps of the graph around them, and run in float64."""

import onnx

# The number of points, int64 without axes, in the graph around these.
POINTS = "points_of_row"

TRAPEZOID_GRAPH = f"""
trapezoid () => (float[points] trapezoid_places, float[points] trapezoid_weights) {{
  zero = Constant <value = int64 {{0}}> ()
  one = Constant <value = int64 {{1}}> ()
  place = Range(zero, {POINTS}, one)
  last = Sub({POINTS}, one)
  is_first = Equal(place, zero)
  is_last = Equal(place, last)
  is_end = Or(is_first, is_last)
  place_double = Cast <to = 11> (place)
  last_double = Cast <to = 11> (last)
  whole = Constant <value = double {{1.0}}> ()
  half = Constant <value = double {{0.5}}> ()
  full_weight = Div(whole, last_double)
  half_weight = Div(half, last_double)
  trapezoid_weight = Where(is_end, half_weight, full_weight)
  trapezoid_place = Div(place_double, last_double)
  trapezoid_places = Cast <to = 1> (trapezoid_place)
  trapezoid_weights = Cast <to = 1> (trapezoid_weight)
}}
"""

# Newton's method for the roots of Legendre's polynomial, from Tricomi's estimate. Six steps reach float64's precision.
GAUSS_LEGENDRE_GRAPH = f"""
gauss_legendre () => (float[points] gauss_places, float[points] gauss_weights) {{
  first = Constant <value = int64 {{1}}> ()
  newton_steps = Constant <value = int64 {{6}}> ()
  degree = Cast <to = 11> ({POINTS})
  after_last = Add({POINTS}, first)
  number = Range(first, after_last, first)
  number_double = Cast <to = 11> (number)
  quarter = Constant <value = double {{0.25}}> ()
  half_double = Constant <value = double {{0.5}}> ()
  one_double = Constant <value = double {{1.0}}> ()
  two_double = Constant <value = double {{2.0}}> ()
  pi = Constant <value = double {{3.141592653589793}}> ()
  shifted = Sub(number_double, quarter)
  turned = Mul(shifted, pi)
  divisor = Add(degree, half_double)
  angle_double = Div(turned, divisor)
  angle = Cast <to = 1> (angle_double)
  cosine = Cos(angle)
  estimate = Cast <to = 11> (cosine)
  recurrences = Sub({POINTS}, first)
  root, root_weight = Loop(newton_steps, , estimate, estimate) <body = newton
    (int64 newton_number, bool newton_go, double[points] x, double[points] ignored)
    => (bool newton_again, double[points] next_x, double[points] next_weight) {{
    newton_again = Identity(newton_go)
    nothing = Sub(x, x)
    ones = Add(nothing, one_double)
    before, value = Loop(recurrences, , ones, x) <body = recurrence
      (int64 degree_number, bool recurrence_go, double[points] lower, double[points] upper)
      => (bool recurrence_again, double[points] next_lower, double[points] next_upper) {{
      recurrence_again = Identity(recurrence_go)
      next_lower = Identity(upper)
      degree_before = Cast <to = 11> (degree_number)
      k = Add(degree_before, one_double)
      twice = Mul(k, two_double)
      odd = Add(twice, one_double)
      upper_x = Mul(upper, x)
      upper_part = Mul(odd, upper_x)
      lower_part = Mul(k, lower)
      difference = Sub(upper_part, lower_part)
      next_degree = Add(k, one_double)
      next_upper = Div(difference, next_degree)
    }}>
    value_x = Mul(x, value)
    numerator = Sub(value_x, before)
    scaled = Mul(degree, numerator)
    square = Mul(x, x)
    square_less = Sub(square, one_double)
    slope = Div(scaled, square_less)
    step = Div(value, slope)
    next_x = Sub(x, step)
    one_less = Sub(one_double, square)
    slope_square = Mul(slope, slope)
    weight_divisor = Mul(one_less, slope_square)
    next_weight = Div(two_double, weight_divisor)
  }}>
  from_one = Sub(one_double, root)
  place_half = Div(from_one, two_double)
  weight_half = Div(root_weight, two_double)
  gauss_places = Cast <to = 1> (place_half)
  gauss_weights = Cast <to = 1> (weight_half)
}}
"""


def trapezoid() -> onnx.GraphProto:
    """Equally spaced points; both ends count half."""
    return onnx.parser.parse_graph(TRAPEZOID_GRAPH)


def gauss_legendre() -> onnx.GraphProto:
    """The points and weights of Gauss and Legendre."""
    return onnx.parser.parse_graph(GAUSS_LEGENDRE_GRAPH)

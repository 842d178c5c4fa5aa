"""Pairs of mathematical texts, both ways round: right answers in ordinary forms pass, wrong ones never."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from math_verify import grader

from regrow.learn.verifiers import math_client, math_exact, math_numbers, math_server
from regrow.learn.verifiers.judge import judge

EQUAL = r"""
I^2 | I \cdot I
10,000 | 10000
10 000 | 10000
1.0 | 1
-0.5 | -1/2
-0.5 | -\frac12
-\frac{3}{4} | \frac{-3}{4}
-2\frac{1}{2} | -2.5
-2 1/2 | -5/2
\frac{4}{8} | \frac{1}{2}
3.0 \times 10^8 | 300000000
3 \cdot 10^{-3} | 0.003
1e3 | 1000
1/3 | 0.333333
2/3 | 0.666667
1/7 | 0.142857
i | 0+1i
-i | -1i
2+0i | 2
25\% | \frac{1}{4}
150\% | 1.5
33.\overline{3}\% | 1/3
0.\overline{09} | 1/11
1.2\overline{34} | 1.2(34)
0.\bar{6} | 2/3
\sqrt{12} | 2sqrt(3)
\frac{\sqrt{2}}{2} | sqrt(2)/2
\frac{1}{x+1} | 1/(x+1)
x^{-1} | 1/x
x^{n+1} | x^(n+1)
a^2-b^2 | (a-b)(a+b)
\log_{10} x | \frac{\ln x}{\ln 10}
x \geq 2 | x >= 2
1 < x < 3 | 1<x<3
x=1, y=2 | x=1,y=2
\{-1, 1\} | \{1, -1\}
\pm 1 | \pm 1
(-\infty, 0) \cup (1, \infty) | (-inf,0) \cup (1,inf)
\frac{\pi}{3} | \pi/3
3\pi/2 | 3*pi/2
\lfloor x \rfloor | \lfloor x\rfloor
\max(a,b) | max(a,b)
\tan(x) | tan(x)
\frac{\sin x}{\cos x} | \tan x
\alpha+\beta | beta + alpha
xyz | zyx
3abc | 3cba
2x | 2*x
x\cdot x | x^2
4x | 4 x
\text{yes} | yes
\text{(A)} | (A)
\frac{\pi}{2} | pi/2
2\pi | 2*pi
2\pi | 2pi
e^{x} | exp(x)
\sin(x) | sin(x)
\ln(x) | ln(x)
|x-1| | abs(x-1)
\log_2(5) | log_2(5)
\log_{2}(5) | \frac{\ln 5}{\ln 2}
x^2 | x**2
\sqrt{x+1} | sqrt(x+1)
\sqrt{2} | sqrt(2)
(-\infty, 2) | (-inf, 2)
\frac{\pi}{4} | pi/4
2\sqrt{2} | 2*sqrt(2)
1234 | 1\,234
1234 | 1,234
1,234 | 1\,234
ab | ba
x \cdot y | xy
2xy | 2yx
m n | mn
1/2 | \frac12
1/2 | \dfrac12
1/2 | (1/2)
1/2 | \left(\frac{1}{2}\right)
1/2 | \cfrac{1}{2}
-1/2 | \frac{1}{-2}
-1/2 | \frac{-1}{2}
5/2 | 2\frac{1}{2}
11/4 | 2 3/4
150000 | 1.5 \times 10^{5}
14-i | 14-1.0i
i | 1i
1/2+1/2i | 0.5+0.5i
\frac{1+i}{2} | 0.5+0.5i
0.1\overline{6} | 1/6
0.0025 | 2.5e-3
0.\overline{3} | 1/3
50\% | 0.5
50\% | 1/2
100\% | 1
12.5\% | 1/8
0.5 | 50\%
50\% | 50%
\frac{1}{\sqrt{3}} | \frac{\sqrt{3}}{3}
x = 4 | x=4
x \neq 6 | x != 6
x \leq 3 | x <= 3
\frac{2^{205}+1}{3 \cdot 2^{206}} | \frac{1}{6}+\frac{1}{3 \cdot 2^{206}}
5 \text{ cm} | 5 \text{cm}
\arctan(1/5) | \tan^{-1}(1/5)
4\arctan(1/5)-\arctan(1/239) | \frac{\pi}{4}
x^{12} | x^12
\theta^2 | theta^2
e^{2x} | e^(2x)
\sin x | sinx
\sin(2x) | 2sin(x)cos(x)
\frac{x}{y} | x/y
x^2+6x+9 | (x+3)**2
\{1,2\} | \{2,1\}
1, 2, \ldots, n | 1, 2, \dots, n
101_2 | 101_{2}
60^\circ | 60^{\circ}
x_1+x_2 | x_2+x_1
\sqrt[3]{x} | x^(1/3)
\frac{\sqrt{3}+1}{2} | (1+sqrt(3))/2
0.3333333 x | 0.3333333*x
0.5x | x/2
-\frac{1}{2}x | -x/2
\begin{pmatrix}1/2\\2\end{pmatrix} | \begin{pmatrix}0.5\\2\end{pmatrix}
(1/2, 3) | (0.5, 3)
[0, \infty) | [0, inf)
\frac{bh}{2} | hb/2
\pi r^2 | r^2 pi
2\pi r | 2*pi*r
x>2 | 2<x
e^{-x^2} | exp(-x**2)
\ln 2 | ln(2)
1{,}000{,}000 | 10^6
-3 | (-3)
3-4i | -4i+3
\frac{3}{5}+\frac{4}{5}i | (3+4i)/5
n! | n!
2**10*x | 1024x
\frac{3\pi}{4} | 3pi/4
3*x**2+2*x | 3x^2+2x
x**(1/2) | \sqrt{x}
cos(x)**2 | \cos^2(x)
ln(x+1) | \ln(1+x)
log(x) | \log x
sqrt(3)/3 | \frac{\sqrt{3}}{3}
arctan(x) | \arctan x
exp(-x) | e^{-x}
2 * (x + 1) | 2x+2
x*y*z | xyz
-1.0i | -i
3 + 4i | 3+4i
0.25 - 0.5i | 1/4-1/2i
1.0 + 2.0i | 1+2i
\frac{3}{4} - \frac{1}{2}i | 0.75-0.5i
\frac{i}{2} | 0.5i
1,000,000 | 1000000
1\,000\,000 | 1000000
1\ 000 | 1000
12,345.67 | 12345.67
.75 | 3/4
3.14 | 314/100
6.022e23 | 6.022 \times 10^{23}
1.6 \times 10^{-19} | 1.6e-19
2.998 \cdot 10^8 | 299800000
7 \frac{1}{8} | 7.125
7\dfrac{1}{8} | 57/8
1 1/2 | 3/2
-1 1/2 | -1.5
\frac{-3}{-4} | 3/4
\tfrac34 | 0.75
\frac 1 2 | 1/2
\left( \dfrac{5}{6} \right) | 5/6
75% | 75\%
75\% | 3/4
0.1% | 0.001
200\% | 2
5 \% | 0.05
0.\overline{142857} | 1/7
0.58\overline{3} | 7/12
\ln(2) + \ln(3) | \ln 6
\sqrt{50} | 5\sqrt{2}
\sqrt{3} \cdot \sqrt{5} | \sqrt{15}
\frac{\sqrt{5}-1}{2} | \frac{2}{1+\sqrt{5}}
\pi^2/6 | pi^2/6
pq | qp
rst | tsr
4ac | 4ca
b^2-4ac | b^2 - 4*a*c
y = 2x + 1 | y=2x+1
x \in [1, 2] | x\in[1,2]
\{(1,2),(3,4)\} | \{(3,4),(1,2)\}
\frac{1}{2}, \frac{3}{4} | 1/2, 3/4
x = 1 \text{ or } x = 2 | x=1 \text{ or } x=2
\text{Monday} | Monday
5\text{ cm} | 5\,\text{cm}
5\text{ cm} | 5 \mathrm{cm}
25_{8} | 25_8
\mathbf{v} | \mathbf v
1+2+\cdots+n | 1+2+\dots+n
a_1+a_2 | a_2 + a_1
x_{1} | x_1
\alpha | alpha
(x-1)(x+2) | (x+2)(x-1)
\frac{d}{dx} | \frac{d}{dx}
n^2+n | n(n+1)
2^n | 2^{n}
10^{100} | 10^100
10^{100} | 1e100
2^{64} | 2^64
(3, -1) | (3,-1)
[2, 5] | [2,5]
x<3 | 3>x
\sqrt{x^2+1} | sqrt(x**2+1)
e^2 | exp(2)
e | e^1
\frac{e^x}{2} | exp(x)/2
\sin^{-1}(x) | arcsin(x)
12\pi | 12 \pi
A = \pi r^2 | A = pi*r^2
-x | - x
\sqrt 2 | \sqrt{2}
\sqrt2 | \sqrt{2}
\sin^2 x | sin(x)^2
\sin^2(x) | sin^2(x)
\frac{\sqrt{x+1}}{x} | sqrt(x+1)/x
(a+b)(a-b) | (a-b)*(a+b)
\ln(x^2+1) | ln(x**2 + 1)
e^{-2t} | e^(-2*t)
2^{x+1} | 2**(x+1)
\log_{2} x | log_2(x)
\log_2(x) | log_2(x)
\sqrt[3]{5} | 5**(1/3)
\frac{2\pi}{3} | 2*pi/3
-\frac{\pi}{6} | -pi/6
\cos(\pi/3) x | x/2
|x+1| | abs(x+1)
\sqrt{a^2+b^2} | sqrt(a**2+b**2)
3x^2y | 3yx^2
xy^2 | y^2x
abc | cab
2mn | 2nm
\frac{3}{2}x | 1.5x
x^{3/2} | x**1.5
\infty | inf
-\infty | -inf
(0, \infty) | (0, inf)
[-1, 1] | [-1,1]
\{0\} | \{ 0 \}
x \in (0,1) | x \in (0, 1)
y=x+1 | y = 1+x
12,5 | 12, 5
-1.5 | -\frac{3}{2}
0.125 | \frac18
\frac{10}{4} | 2.5
3\frac{1}{3} | 10/3
3\,\frac{1}{3} | 10/3
1{,}234{,}567 | 1,234,567
4.0\times10^{-3} | 0.004
10^{-3} | 0.001
-2i | 0-2i
3+0i | 3
\frac{1}{2}i | i/2
-0 | 0
0 | 0.0
5 | 5.00
1.10 | 1.1
07:30 | 07:30
\frac{-1}{3} | -1/3
\frac{1}{3} | -\frac{-1}{3}
\dfrac{\pi^2}{6} | pi**2/6
\sinh(x) | sinh(x)
\frac{n(n+1)}{2} | n(n+1)/2
2\cdot 3^n | 2*3**n
\sqrt{2}/2 | 1/sqrt(2)
\tan^{-1}(2) | arctan(2)
\arcsin(1/3) | arcsin(1/3)
e^{\pi} | exp(pi)
\theta = \frac{\pi}{2} | theta = pi/2
p(1-p) | p-p^2
\lambda^2 | lambda^2
\ln(x+1)-\ln(x) | \ln(\frac{x+1}{x})
\tan(x+\frac{\pi}{4}) | \frac{1+\tan x}{1-\tan x}
\frac{x^2-1}{x-1} | x+1
(a+b+c+d)^{50} | (d+c+b+a)^{50}
x^3+3x^2+3x+1 | (x+1)^3
"""
"""each passes where the other is expected"""

STANDS_FOR = r"""
\cos^2 x - \sin^2 x | \cos(2x)
e^{i\pi} | -1
50\% | 50
\sqrt{17} | 4.123106
(1+i)^2 | 2i
\binom{n}{2} | n(n-1)/2
2^{100} | 1267650600228229401496703205376
12\% | 12
tan(pi/4) x | x
3! x | 6x
25\% | 25
100\% | 100
"""
"""the second passes where the first is expected; the other way round it leaves work to the reader, or a
bare number is expected"""

DIFFERENT = r"""
I | i
I^2 | -1
xy | x+y
E | e
e | x
\frac{x}{2} | \frac{x}{3}
\alpha | \beta
a_{n} | a_{m}
\{1,2\} | (1,2)
(1,2) | (2,1)
[1,2] | (1,2)
x<2 | x \leq 2
x=2 | y=2
\infty | -\infty
2+3i | 2-3i
\frac{1+i}{2} | \frac{1-i}{2}
1.5 \times 10^{5} | 1.5 \times 10^{6}
2\frac{1}{2} | 1
2\frac{1}{2} | \frac{2}{2}
-2\frac{1}{2} | -3/2
1,234 | 1,235
(1,2) | (1,3)
0.(3) | 0.3
\sqrt{2} | \sqrt{3}
\sqrt{2} | 1.41
\begin{pmatrix}1\\2\end{pmatrix} | \begin{pmatrix}2\\1\end{pmatrix}
\begin{pmatrix}2^{-60}\end{pmatrix} | \begin{pmatrix}2^{-61}\end{pmatrix}
\frac{x}{10^{20}} | \frac{x}{10^{21}}
\text{yes} | \text{no}
\text{A} | \text{a}
\text{(A)} | \text{(B)}
3\text{ m} | 3\text{ km}
3\mathrm{m} | 3\mathrm{s}
90^\circ | 90
90^\circ \text{C} | 90^\circ
f'(x) | f(x)
\dot{x} | x
\tilde{x} | x
\underline{x} | x
\mathcal{F} | F
x \in A | x \in B
A \subset B | A \supset B
p \to q | q
\neg p | p
10_2 | 2
(1011)_2 | 11
FF_{16} | 255
\overline{AB} | AB
\overline{z} | z
x \bmod 3 | x
3 \mid x | 3x
1.0e10 | 1.0e11
2^{-60} | -2^{-60}
2^{-60} | 2^{-61}
\frac{1}{20!} | \frac{1}{21!}
e^{-40} | e^{-41}
6.02 \times 10^{-23} | 9.11 \times 10^{-31}
\frac{2^{205}+1}{3 \cdot 2^{206}} | \frac{1}{3 \cdot 2^{206}}
0.0000004 | 0.0
1 | 1\%
0.5 | 0.5\%
101_2 | 101_3
4210_5 | 4210
25_{8} | 25_{10}
3\mathbf{i}-2\mathbf{j} | 3
3\mathbf{a} | 3\mathbf{b}
1, 2, \ldots, n | 1, 3, \ldots, 2n-1
1+2+\cdots+n | 1+3+\cdots+n
0.\overline{3} | 0.\overline{4}
5 \text{ cm} | 5 m
5 m | 5 k
5m | 5
2h | 2g
2x+3c | 2x+3
A | a
AB | ab
\Delta | \delta
x' | x
x \equiv 3 \pmod{7} | x \equiv 3 \pmod{5}
x\to 3 | 3
x \approx 3 | x=3
3# | 3
2 | 2 2/3
Monday | yadnoM
yes | sey
2^{-60}x | 2^{-61}x
(2^{-60},1) | (2^{-61},1)
x=2^{-60} | x=2^{-61}
x<2^{-60} | x<2^{-61}
x^2 | x^3
60^\circ | 60
5\%x | 5x
\log x | \ln x
\sqrt{x^2} | x
\pm 2 | 2
12 | 12.0000001
1/3 | 0.33333
1/3 | 0.3333
x_1 | x_2
e^{x} | exp(y)
\sqrt{2}+10^{-30} | \sqrt{2}
10^{-2000}+\sqrt{2}\cdot\sqrt{3} | \sqrt{6}
\frac{\pi}{2} | pi/3
\sin(x) | cos(x)
14-i | 14+i
\hat{x} | x
\vec{v} | v
\bar{x} | x
\lfloor x \rfloor | x
x! | x
\mathbb{R} | R
\{2^{-60},1\} | \{2^{-61},1\}
(1,234) | 1234
0.1(6) | 0.16
1.5e5 | 1.5e4
(x+1)^2 | x^2+1
1:2 | 1:3
3 | 2.9999999999
3 \times 10^{-9} | 4 \times 10^{-9}
10^{-40} | 0
2^{-100} | 0
e^{-100} | 0
e^{-50} | e^{-51}
\pi \cdot 10^{-20} | e \cdot 10^{-20}
\frac{\pi}{10^{20}} | \frac{e}{10^{20}}
\sin(10^{-20}) | \cos(\pi/2)
\frac{1}{30!} | \frac{1}{31!}
0.00000001 | 0.00000002
0.0000001 | -0.0000001
1.6e-19 | 9.1e-31
10^{-7}x | 10^{-8}x
x^{2}+2^{-70} | x^2
\sqrt{2}\cdot 10^{-12} | \sqrt{3}\cdot 10^{-12}
\{10^{-9}, 1\} | \{10^{-8}, 1\}
(0, 2^{-60}) | (0, 2^{-59})
[0, 10^{-10}] | [0, 10^{-11}]
0.25 | 0.25\%
0.5\% | 0.5
1\% | 1
1/2\% | 1/2
50\% | 5
50\% | 51\%
50\% | 0.05
1010_2 | 1010_3
1010_2 | 1010
77_8 | 77
A5_{16} | A5
2A_{16} | 2A_{12}
5 \text{ kg} | 5 \text{ g}
5 \text{ kg} | 5
\$5 | 5
\mathbf{u} | \mathbf{w}
\vec{a} | \vec{b}
\boldsymbol{x} | x
\hat{i} | \hat{j}
1,2,3,\ldots | 1,2,4,\ldots
1,2,\dots,10 | 1,2,\dots,20
0.\overline{12} | 0.\overline{21}
0.\overline{3} | 0.3
1.\overline{6} | 1.6
0.1\overline{6} | 0.\overline{16}
45^\circ | 45
45^\circ | 46^\circ
30^\circ C | 30^\circ F
x'' | x'
a:b | b:a
2:3 | 3:2
3 \pmod 5 | 3 \pmod 7
O(n) | O(n^2)
f(x) | f(y)
f(x) | g(x)
m/s | s/m
10 km | 10 m
3 apples | 3 pears
7 am | 7 pm
\overrightarrow{AB} | \overrightarrow{BA}
\angle ABC | \angle ACB
\triangle ABC | \triangle DEF
AB \parallel CD | AB \perp CD
\text{A and B} | \text{A or B}
\text{true} | \text{false}
true | false
north | south
\log_2 8 | \log_3 8
\sqrt[3]{2} | \sqrt{2}
x^{1/2} | x^{1/3}
x^12 | x^{1}2
2x | x^2
x-y | y-x
x/y | y/x
-x^2 | x^2
(a,b] | [a,b)
x \ge 1 | x \ge 2
\max(a,b) | \min(a,b)
\gcd(a,b) | ab
\emptyset | 0
\mathbb{N} | \mathbb{Z}
1+i | 1+j
2 1/2 | 1
1,5 | 1.5
1.234 | 1,234
1e3 | e^3
1.000001 | 1
0.999999 | 1
2.0000001 | 2
3.141592653589793 | 3.14
3.14 | \pi
22/7 | \pi
1.414 | \sqrt{2}
\sqrt{2} | 1.4142
x=1,y=2 | x=2,y=1
Alice | alice
x^{-60} | x^{-61}
2^{-200}+1 | 1
\sqrt{2^{-200}} | 0
\cos(10^{-10}) | 1
\frac{1}{1+10^{-30}} | 1
1+10^{-50}x | 1
\ln(1+10^{-40}) | 0
\begin{pmatrix}1&0\\0&1\end{pmatrix} | \begin{pmatrix}1&0\\0&1+10^{-20}\end{pmatrix}
(1, 10^{-20}) | (1, 10^{-21})
[10^{-20},1] | [10^{-21},1]
x>10^{-20} | x>10^{-21}
x=10^{-20} | x=10^{-21}
10^{-20}i | 10^{-21}i
1.0000001 | 1.0000002
99.99999 | 100
0.00001 | 0.00002
1e-9 | 2e-9
1.2e-7 | 1.3e-7
5\% | 0.5
5\% | 500
0.05\% | 0.05
200\% | 0.2
1,000\% | 1000.5
12_{3} | 12_{4}
0.1\overline{23} | 0.\overline{123}
0.\overline{9} | 0.9
3.\overline{14} | 3.14
\overline{x} | x
\mathbf{F} | F
\mathrm{d}x | dx
\vec{AB} | AB
a, b, \ldots | a, c, \ldots
x_1, \dots, x_n | x_1, \dots, x_m
2 + 4 + ... + 20 | 2 + 4 + ... + 22
3 \text{ hours} | 3 \text{ minutes}
3 hours | 3 minutes
3h | 3m
\$3 | \$4
\theta | x
\phi | \psi
\varepsilon | \delta
N | n
\Sigma | \sigma
X+Y | x+y
P(A) | P(B)
\sin x | \sin y
\sin x | \cos x
\log_2 x | \log x
f^{-1}(x) | f(x)
a_1 | a_2
a^{12} | a^{1}
x^10 | x^{1}0
3 1/2 | 31/2
2 1/2 | 2.2
1 2 | 12
12 | 1 2
(2,3) | (2,3]
\{1,2\} | [1,2]
1 \pm \sqrt{2} | 1 + \sqrt{2}
x \ne 1 | x = 1
n! | n
\binom{5}{2} | \binom{5}{4}
true | True
A | B
(A) | (B)
i | -i
1+i | 1
|x-100|+1 | 101-x
\sqrt{x^2-200x+10000} | 100-x
\log(x^2) | 2\log(x)
x+10^{-2000} | x
x! | x^2
"""
"""neither passes where the other is expected"""


def pairs(table: str) -> list[tuple[str, str]]:
    rows = [line.split(" | ") for line in table.splitlines() if line]
    return [(expected, answer) for expected, answer in rows]


def passed(expected: str, answer: str) -> bool:
    return judge("math", {"answer": expected}, f" {answer}<|end|>", "instruct").passed


@pytest.fixture(autouse=True)
def compared_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's comparison, in this process: a fork per pair is another test's matter."""
    for name in ("sympy_numeric_eq", "sympy_symbolic_eq", "sympy_compare_symbols"):
        monkeypatch.setattr(grader, name, getattr(grader, name))
    math_exact.install()
    monkeypatch.setattr(math_client, "compare", math_server.compare)
    yield


def test_right_answers_in_ordinary_forms_pass_both_ways() -> None:
    table = [(a, b) for pair in pairs(EQUAL) for a, b in (pair, pair[::-1])]
    assert [pair for pair in table if not passed(*pair)] == []


def test_an_expression_may_be_worked_out_further_than_expected() -> None:
    table = pairs(STANDS_FOR)
    assert [pair for pair in table if not passed(*pair)] == []
    assert [pair for pair in table if passed(*pair[::-1])] == []


def test_wrong_answers_pass_neither_way() -> None:
    table = [(a, b) for pair in pairs(DIFFERENT) for a, b in (pair, pair[::-1])]
    assert [pair for pair in table if passed(*pair)] == []


def test_no_answer_of_the_tables_passes_for_an_unrelated_one() -> None:
    """A reader that passes over what it does not know calls many texts equal: they are one class each."""
    first = [expected for expected, _ in pairs(EQUAL)][:60:3]
    values = {text: math_numbers.read(text) for text in first}
    unlike = [
        (a, b)
        for number, a in enumerate(first)
        for b in first[number + 1 :]
        if not (values[a] and values[b] and values[a].real == values[b].real)  # type: ignore[union-attr]
    ]
    assert [pair for pair in unlike if passed(*pair)] == []


def forms(value: Fraction) -> list[str]:
    """Ways to write a rational number, all with the same value."""
    sign, top, under = "-" if value < 0 else "", abs(value.numerator), value.denominator
    said = [
        f"{sign}{top}/{under}",
        f"{sign}\\frac{{{top}}}{{{under}}}",
        f"\\dfrac{{{sign}{top}}}{{{under}}}",
        f"{sign}\\frac{{{3 * top}}}{{{3 * under}}}",
        f"\\left({sign}\\frac{{{top}}}{{{under}}}\\right)",
        f"({sign}{top}/{under})",
    ]
    whole, rest = divmod(top, under)
    if whole and rest:
        said += [
            f"{sign}{whole} {rest}/{under}",
            f"{sign}{whole}\\frac{{{rest}}}{{{under}}}",
        ]
    if not rest:
        said += [f"{sign}{whole}", f"{sign}{whole:,}", f"{sign}{whole:,}".replace(",", "\\,")]
    places = value * 10**6
    if places.denominator == 1:
        shown = f"{abs(places.numerator) // 10**6}.{abs(places.numerator) % 10**6:06d}"
        said += [sign + shown, sign + shown.rstrip("0") + "0", f"{sign}{abs(places.numerator)}e-6"]
        said += [f"{sign}{abs(places.numerator)} \\times 10^{{-6}}"]
        share = f"{abs(places.numerator) // 10**4}.{abs(places.numerator) % 10**4:04d}"
        said += [f"{sign}{share}\\%"]
    return said


RATIONAL = st.builds(
    Fraction,
    st.integers(-(10**6), 10**6),
    st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 16, 25, 40, 99, 125, 1000]),
)


@given(RATIONAL, st.data())
@settings(max_examples=150, deadline=None)
def test_equal_rationals_pass_in_any_form(value: Fraction, data: st.DataObject) -> None:
    expected, answer = (data.draw(st.sampled_from(forms(value))) for _ in range(2))
    assert passed(expected, answer)


@given(RATIONAL, RATIONAL, st.data())
@settings(max_examples=150, deadline=None)
def test_different_rationals_pass_in_no_form(
    value: Fraction, other: Fraction, data: st.DataObject
) -> None:
    """A bare number for a percentage is allowed, so percentages are not among the expected ones."""
    others = [
        other,
        value + 1,
        value - 1,
        -value,
        100 * value,
        value / 100,
        1 / value if value else 1,
    ]
    for wrong in {Fraction(o) for o in others} - {value}:
        expected = data.draw(
            st.sampled_from([form for form in forms(value) if not form.endswith("%")])
        )
        assert not passed(expected, data.draw(st.sampled_from(forms(wrong))))


@given(st.integers(2, 10**6), st.integers(2, 10**6), st.integers(20, 300))
@settings(max_examples=40, deadline=None)
def test_exact_expressions_that_differ_by_little_are_different(a: int, b: int, power: int) -> None:
    """Whatever the size of the difference, where neither side is a decimal."""
    assert not passed(f"{a}^{{-{power}}}", f"{a}^{{-{power + 1}}}")
    assert not passed(f"\\sqrt{{{a * a + 1}}}", f"\\sqrt{{{a * a + 1}}}+{b}^{{-{power}}}")
    assert passed(f"{a}^{{-{power}}}", f"\\frac{{1}}{{{a}^{{{power}}}}}")


NUMBERS = st.text("0123456789.,-+/\\{}()%ei^* fracdtimesovl", max_size=24)


@given(NUMBERS | st.text(max_size=12))
@settings(max_examples=400, deadline=None)
def test_the_reader_of_numbers_ends_and_reads_only_numbers(text: str) -> None:
    number = math_numbers.read(text)
    if number is not None:
        assert any(c.isdigit() and c.isascii() for c in text) or "i" in text
        assert text.isascii() and "--" not in text


@pytest.mark.parametrize(
    "text",
    ["", "-", ".", "1.", "+12", "--12", "012", "1,23", "1,2345", "12.0.0", "1/0", "\\frac{1}{0}", "x",
     "1e", "1e5e5", "2\\frac{-1}{2}", "2 -1/2", "1/2/3", "(1,234)", "((1)", "1 2", "12 3", "50%%", "i i",
     "1+1", "2*3", "1e9999", "٣", "1_000", "0x10", "1/2 3", "3!", "\\frac{1}{2}3", "i+i", "1+2"],
)  # fmt: skip
def test_what_is_no_number_is_not_read_as_one(text: str) -> None:
    assert math_numbers.read(text) is None

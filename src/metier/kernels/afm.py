"""One epoch of an attentional factorization machine (Xiao et al. 2017) trained to rank, by row-wise Adagrad.

Notation. Every field of a person or a job is one vector: s_f = sum of x v over the features it holds, zero when it
holds none. The past jobs of a person fill fields with the bag of `metier.kernels.fm`, (sum_h c_h)^-a sum_h c_h r_h.
For the pairs (f, g) of fields, f of the person and g of the job, and for those inside either when asked for:

    l_fg = h . ReLU(W (s_f * s_g) + b) / T     (equation 5; * is element by element, T is the temperature)
    a_fg = exp(l_fg) / sum over all pairs of exp(l)
    y    = scale * p . sum_fg a_fg (s_f * s_g) + sum of x w over the job's features     (equation 6)

W (s_f * s_g) = (W diag s_f) s_g, so one matrix product of a person's stretched fields W diag s_f with the fields of all
candidates reaches every pair. p is one more row of W: its product is what the pair pays.

A batch of applications is differentiated at the parameters as they are, each application on its own; then every feature
that was met takes one step along the sum. Sums run in a fixed order, so the number of threads changes nothing.
"""

import numpy as np
from numba import njit, prange

from metier.data import Floats
from metier.kernels.afm_data import Parameters
from metier.kernels.ranking_loss import LOSSES, loss_gradient, loss_gradient_reference

CHUNKS = 8
"""Parts of a batch that may run side by side; fixed, so that sums do not depend on the machine."""


@njit(cache=True, parallel=True, fastmath=True)
def afm_epoch(  # type: ignore[no-untyped-def]
    people, jobs, pasts, fields, histories, examples, closeness, pairs, parameters, squares, sums, settings, lanes
):
    """Visit every example once, changing `parameters` and `squares` in place.

    Parameters
    ----------
    people, jobs, pasts : Rows x, x and z of `metier.kernels.fm_data` over one numbering of features.
    histories, closeness : as in `metier.kernels.fm.fm_epoch`.
    sums : room to work in, all 0, and left so.
    lanes : threads that may take the steps; any number gives the same result.

    Returns
    -------
    loss (n,) of each example and gradient (n, m + 1) of it by the scores, float32.
    """
    n, candidates = examples.offset.shape
    size, width = parameters.vectors.shape[1], len(parameters.bias) + 1
    loss, gradient = np.zeros(n, np.float32), np.zeros((n, candidates), np.float32)
    batch = min(settings.batch, n)
    slope = np.empty((batch, fields.persons + candidates * fields.jobs, size), np.float32)
    room = _most_entries(people, jobs, pasts, histories, candidates)
    feature, row = np.empty((batch, room), np.int32), np.empty((batch, room), np.int32)
    value, filled = np.empty((batch, room), np.float32), np.zeros(batch, np.int64)
    matrix, head = np.empty((CHUNKS, width, size), np.float32), np.empty((CHUNKS, 2 * width - 1 + size), np.float32)
    vectors, weights = parameters.vectors, parameters.weights.reshape(-1, 1)
    total, total_weight, met = sums.vectors, sums.weights.reshape(-1, 1), sums.met
    rate, reg = np.float32(settings.learning_rate), np.float32(settings.reg)
    for first in range(0, n, batch):
        last = min(first + batch, n)
        for chunk in prange(CHUNKS):
            matrix[chunk] = 0
            head[chunk] = 0
            for t in range(first + chunk, last, CHUNKS):
                b = t - first
                filled[b] = _differentiate(
                    t, people, jobs, pasts, fields, histories, examples, closeness, pairs, parameters, settings,
                    loss, gradient, feature[b], row[b], value[b], slope[b], matrix[chunk], head[chunk],
                )  # fmt: skip
        for lane in prange(lanes):  # a lane owns the features whose number leaves its own as remainder
            for b in range(last - first):
                for e in range(filled[b]):
                    f, r, x = feature[b, e], row[b, e], value[b, e]
                    if f % lanes == lane:
                        met[f] = True
                        for d in range(size):
                            total[f, d] += x * slope[b, r, d]
                        if r >= fields.persons:
                            total_weight[f, 0] += x * gradient[first + b, (r - fields.persons) // fields.jobs]
            for b in range(last - first):
                for e in range(filled[b]):
                    f = feature[b, e]
                    if f % lanes == lane and met[f]:
                        met[f] = False
                        one = slice(f, f + 1)
                        _descend(vectors[one], total[one], squares.vectors[one], reg, rate)
                        _descend(weights[one], total_weight[one], squares.weights[one], reg, rate)
        for chunk in range(1, CHUNKS):
            matrix[0] += matrix[chunk]
            head[0] += head[chunk]
        fast = np.float32(settings.attention_rate)
        g, none, shrink = head[0].reshape(-1, 1), np.float32(0), np.float32(settings.attention_reg * (last - first))
        _descend(parameters.attention, matrix[0, :-1], squares.attention, shrink, fast)
        _descend(parameters.bias.reshape(-1, 1), g[: width - 1], squares.bias, none, fast)
        _descend(parameters.relevance.reshape(-1, 1), g[width - 1 : 2 * width - 2], squares.relevance, none, fast)
        temperature = parameters.log_temperature.reshape(-1, 1)
        _descend(temperature, g[2 * width - 2 : 2 * width - 1], squares.log_temperature, none, fast)
        _descend(parameters.output.reshape(-1, 1), g[2 * width - 1 :], squares.output, none, fast)
    return loss, gradient


@njit(cache=True, fastmath=True)
def _differentiate(  # type: ignore[no-untyped-def]
    t, people, jobs, pasts, fields, histories, examples, closeness, pairs, parameters, settings,
    loss, gradient, feature, row, value, slope, matrix, head,
):  # fmt: skip
    """One example: its loss, its gradient by scores, by fields (`slope`) and, added up, by the attention.

    Returns the number of entries (feature, row of `slope`, value) that tell how features fill the fields.
    """
    size, width = parameters.vectors.shape[1], len(parameters.bias) + 1
    persons, own, candidates = fields.persons, fields.jobs, len(pairs.of)
    filled, usable = _entries(
        t, people, jobs, pasts, fields, histories, examples, closeness, settings, feature, row, value
    )
    s, score = np.zeros_like(slope), examples.offset[t].copy()
    for e in range(filled):
        x, f, r = value[e], feature[e], row[e]
        for d in range(size):
            s[r, d] += x * parameters.vectors[f, d]
        if r >= persons:
            score[(r - persons) // own] += x * parameters.weights[f]
    rows = np.empty((width, size), np.float32)  # W, and p without what is dropped
    rows[:-1] = parameters.attention
    for d in range(size):
        rows[-1, d] = settings.scale * parameters.output[d] * examples.kept[t, d]
    temperature = np.exp(parameters.log_temperature[0])
    # z: one row for a pair, the products with W and, last, with p.
    crossed, within = candidates * own * persons, len(pairs.left)
    z, product = np.empty((crossed + within, width), np.float32), np.empty((within, size), np.float32)
    x_person = stretched(s[:persons], rows)
    np.dot(s[persons:], x_person.T, z[:crossed].reshape(candidates * own, persons * width))
    if within:
        for q in range(within):
            for d in range(size):
                product[q, d] = s[pairs.left[q], d] * s[pairs.right[q], d]
        np.dot(product, rows.T, z[crossed:])
    logit = logits(z, parameters.bias, parameters.relevance, temperature)
    share, pooled = np.empty(pairs.of.shape, np.float32), np.zeros(candidates, np.float32)
    for c in range(candidates):
        top, mass = logit[pairs.of[c, 0]], np.float32(0)
        for at in pairs.of[c]:
            top = max(top, logit[at])
        for q in range(pairs.of.shape[1]):
            share[c, q] = np.exp(logit[pairs.of[c, q]] - top)
            mass += share[c, q]
            pooled[c] += share[c, q] * z[pairs.of[c, q], width - 1]
        share[c] /= mass
        pooled[c] /= mass
        score[c] += pooled[c]
    loss[t] = loss_gradient(score, usable, settings.loss, gradient[t])
    d_logit, d_paid = np.zeros(len(z), np.float32), np.zeros(len(z), np.float32)
    for c in range(candidates):
        for q in range(pairs.of.shape[1]):
            at, g = pairs.of[c, q], gradient[t, c] * share[c, q]
            d_paid[at] += g
            d_logit[at] += g * (z[at, width - 1] - pooled[c])
    _through_logits(z, logit, d_logit, d_paid, parameters.bias, parameters.relevance, temperature, head)
    # z has become the gradient by z.
    d_cross = z[:crossed].reshape(candidates * own, persons * width)
    np.dot(d_cross, x_person, slope[persons:])
    slope[:persons] = 0
    d_x = np.dot(d_cross.T, s[persons:])
    for i in range(persons):
        for j in range(width):
            for d in range(size):
                slope[i, d] += d_x[i * width + j, d] * rows[j, d]
                matrix[j, d] += d_x[i * width + j, d] * s[i, d]
    if within:
        matrix += np.dot(z[crossed:].T, product)
        np.dot(z[crossed:], rows, product)
        for q in range(within):
            for d in range(size):
                slope[pairs.left[q], d] += product[q, d] * s[pairs.right[q], d]
                slope[pairs.right[q], d] += product[q, d] * s[pairs.left[q], d]
    for d in range(size):
        head[2 * width - 1 + d] += settings.scale * examples.kept[t, d] * matrix[-1, d]
    matrix[-1] = 0
    return filled


@njit(cache=True, fastmath=True)
def stretched(left, rows):  # type: ignore[no-untyped-def]
    """(a (A + 1), k) the products of every vector of `left` (a, k) with every one of `rows` (A + 1, k)."""
    x = np.empty((len(left) * len(rows), left.shape[1]), np.float32)
    for i in range(len(left)):
        for j in range(len(rows)):
            for d in range(left.shape[1]):
                x[i * len(rows) + j, d] = left[i, d] * rows[j, d]
    return x


@njit(cache=True, fastmath=True)
def logits(z, bias, relevance, temperature):  # type: ignore[no-untyped-def]
    """(n,) h . ReLU(z + b) / T, the last column of z (n, A + 1) left aside."""
    logit = np.empty(len(z), np.float32)
    for q in range(len(z)):
        strength = np.float32(0)
        for j in range(len(bias)):
            strength += relevance[j] * max(z[q, j] + bias[j], np.float32(0))
        logit[q] = strength / temperature
    return logit


@njit(cache=True, fastmath=True)
def _through_logits(z, logit, d_logit, d_paid, bias, relevance, temperature, head):  # type: ignore[no-untyped-def]
    """Overwrite z with the gradient by z, and add the gradients by b, h and ln T to `head`."""
    width = len(bias)
    for q in range(len(z)):
        g = d_logit[q] / temperature
        head[2 * width] -= d_logit[q] * logit[q]
        for j in range(width):
            reached = max(z[q, j] + bias[j], np.float32(0))
            z[q, j] = g * relevance[j] if reached > 0 else np.float32(0)
            head[j] += z[q, j]
            head[width + j] += g * reached
        z[q, width] = d_paid[q]


@njit(cache=True, fastmath=True)
def _entries(  # type: ignore[no-untyped-def]
    t, people, jobs, pasts, fields, histories, examples, closeness, settings, feature, row, value
):
    """How features fill the fields of one example: the number of entries, and which candidates count (m + 1,)."""
    u, at = examples.user[t], examples.at[t]
    begin, end = histories.start[u], histories.start[u + 1]
    share, mass = np.zeros(end - begin, np.float32), np.float32(0)
    for h in range(end - begin):
        distance = abs(histories.place[begin + h] - histories.place[at])
        if begin + h != at and distance < len(closeness):
            share[h] = closeness[distance]
            mass += share[h]
    # A person without another job has only the own features: they always speak, unscaled.
    voice = np.float32(1) if mass == 0 else np.float32(settings.boost * examples.speaks[t])
    norm = np.float32(0) if mass == 0 else mass ** np.float32(-settings.power)
    n = 0
    if voice > 0:
        n = _add(people, u, voice, fields.person, 0, n, feature, row, value)
    for h in range(end - begin):
        if share[h] > 0:
            n = _add(pasts, histories.item[begin + h], share[h] * norm, fields.past, 0, n, feature, row, value)
    candidates = examples.offset.shape[1]
    usable = np.ones(candidates, np.bool_)
    for c in range(candidates):
        j = histories.item[at] if c == 0 else examples.negatives[t, c - 1]
        for h in range(begin, end):
            usable[c] = usable[c] and (c == 0 or histories.item[h] != j)
        if usable[c]:
            n = _add(jobs, j, np.float32(1), fields.job, fields.persons + c * fields.jobs, n, feature, row, value)
    return n, usable


@njit(cache=True, inline="always")
def _add(rows, r, weight, field, first, n, feature, row, value):  # type: ignore[no-untyped-def]
    """Append row r of a CSR to the entries."""
    for a in range(rows.start[r], rows.start[r + 1]):
        f = rows.column[a]
        feature[n], row[n], value[n] = f, first + field[f], weight * rows.value[a]
        n += 1
    return n


@njit(cache=True)
def _most_entries(people, jobs, pasts, histories, candidates):  # type: ignore[no-untyped-def]
    """An upper bound of the entries of one example."""
    most = 0
    for u in range(len(histories.start) - 1):
        mine = people.start[u + 1] - people.start[u]
        for h in range(histories.start[u], histories.start[u + 1]):
            mine += pasts.start[histories.item[h] + 1] - pasts.start[histories.item[h]]
        most = max(most, mine)
    return most + candidates * np.diff(jobs.start).max()


@njit(cache=True, fastmath=True)
def _descend(part, gradient, square, reg, rate):  # type: ignore[no-untyped-def]
    """part -= rate * g / sqrt(running mean square of g), g = gradient + reg part, for each row; gradient becomes 0."""
    for i in range(len(part)):
        mean = np.float32(0)
        for d in range(part.shape[1]):
            gradient[i, d] += reg * part[i, d]
            mean += gradient[i, d] * gradient[i, d]
        square[i] += mean / np.float32(part.shape[1])
        step = rate / np.sqrt(square[i])
        for d in range(part.shape[1]):
            part[i, d] -= step * gradient[i, d]
            gradient[i, d] = 0


def afm_epoch_reference(  # type: ignore[no-untyped-def]
    people, jobs, pasts, fields, histories, examples, closeness, parameters, squares, settings,
    *, inside_person: bool, inside_job: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """`afm_epoch` pair by pair in NumPy, for reading and for the test that compares the two."""
    m, n = fields.persons, fields.jobs
    pairs = [
        (a, b) for a in range(m + n) for b in range(a + 1, m + n) if (b >= m or inside_person) and (a < m or inside_job)
    ]
    left, right = np.array(pairs).T
    loss, gradient = np.zeros(len(examples.at), np.float32), np.zeros(examples.offset.shape, np.float32)
    for first in range(0, len(loss), settings.batch):
        total = Parameters(*(np.zeros_like(part) for part in parameters))
        met = np.zeros(len(parameters.weights), np.bool_)
        for t in range(first, min(first + settings.batch, len(loss))):
            fill, usable = _fill_reference(t, people, jobs, pasts, fields, histories, examples, closeness, settings)
            forward = [_pool_reference(one, t, left, right, m, examples, parameters, settings) for one in fill]
            score = np.array([pooled for pooled, _ in forward]) + examples.offset[t, usable]
            loss[t], gradient[t, usable] = loss_gradient_reference(score, LOSSES[settings.loss])
            for one, (_, back), g in zip(fill, forward, gradient[t, usable], strict=True):
                for part, change in zip(total, back(g), strict=True):
                    part += change
                met |= one.any(axis=0)
        total.vectors[met] += settings.reg * parameters.vectors[met]
        total.weights[met] += settings.reg * parameters.weights[met]
        total.attention[:] += settings.attention_reg * (t + 1 - first) * parameters.attention
        for name, part, g, square in zip(Parameters._fields, parameters, total, squares, strict=True):
            rate = settings.learning_rate if name in ("vectors", "weights") else settings.attention_rate
            square += g**2 if g.ndim == 1 else (g**2).mean(axis=1)
            part -= rate * g / np.sqrt(square if g.ndim == 1 else square[:, None])
    return loss, gradient


def _fill_reference(t, people, jobs, pasts, fields, histories, examples, closeness, settings):  # type: ignore[no-untyped-def]
    """How features fill the fields of the person and each usable candidate, (M + N, F) each; and which are usable."""
    u, at = examples.user[t], examples.at[t]
    span = slice(histories.start[u], histories.start[u + 1])
    mine, place = histories.item[span], histories.place[span]
    person = np.zeros((fields.persons + fields.jobs, len(fields.job)))

    def add(where, rows, r, field, first, weight):  # type: ignore[no-untyped-def]
        part = slice(rows.start[r], rows.start[r + 1])
        np.add.at(where, (first + field[rows.column[part]], rows.column[part]), weight * rows.value[part])

    distance = np.abs(place - histories.place[at])
    share = np.where(distance < len(closeness), closeness[np.minimum(distance, len(closeness) - 1)], 0)
    share[at - span.start] = 0
    mass = share.sum()
    add(person, people, u, fields.person, 0, 1.0 if mass == 0 else settings.boost * examples.speaks[t])
    for j, c in zip(mine, share, strict=True):
        add(person, pasts, j, fields.past, 0, c * mass**-settings.power if c else 0.0)
    usable = np.concatenate([[True], ~np.isin(examples.negatives[t], mine)])
    fill = []
    for j in np.concatenate([[histories.item[at]], examples.negatives[t]])[usable]:
        fill.append(person.copy())
        add(fill[-1], jobs, j, fields.job, fields.persons, 1.0)
    return fill, usable


def _pool_reference(fill, t, left, right, m, examples, parameters, settings):  # type: ignore[no-untyped-def]
    """Score of one candidate without its offset, and the function from its gradient to those of all parameters."""
    v, w, attention, b, h, p, log_temperature = parameters
    temperature, output = np.exp(log_temperature[0]), settings.scale * p * examples.kept[t]
    s = fill @ v  # (M + N, k)
    product = s[left] * s[right]  # (pairs, k)
    reached = np.maximum(product @ attention.T + b, 0)  # (pairs, A)
    logit, paid = reached @ h / temperature, product @ output
    share = np.exp(logit - logit.max()) / np.exp(logit - logit.max()).sum()
    pooled = share @ paid

    def back(g: float) -> Parameters:
        d_paid, d_logit = g * share, g * share * (paid - pooled)
        d_reached = np.outer(d_logit / temperature, h) * (reached > 0)
        d_product, d_s = d_reached @ attention + np.outer(d_paid, output), np.zeros_like(s)
        np.add.at(d_s, left, d_product * s[right])
        np.add.at(d_s, right, d_product * s[left])
        return Parameters(
            fill.T @ d_s,
            g * fill[m:].sum(axis=0),
            d_reached.T @ product,
            d_reached.sum(axis=0),
            d_logit / temperature @ reached,
            settings.scale * examples.kept[t] * (d_paid @ product),
            np.array([-d_logit @ logit]),
        )

    return pooled + fill[m:].sum(axis=0) @ w, back

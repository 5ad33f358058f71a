"""What a detector is worth: nested choice of a statistic, logistic regression, ROC AUC with intervals over networks.

Nothing that is reported for a network was chosen or fitted with it, or with any other part of its published file.
"""
import numpy as np

KEPT = 10  # statistics that the regression sees
SAMPLES = 1000  # of the bootstrap


def auc(score, label):
    """Area under the ROC curve; ties count half."""
    if not label.any() or label.all():
        return 0.5
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = label.sum()
    return float((ranks[label].sum() - positive * (positive + 1) / 2) / (positive * (len(label) - positive)))


def interval(score, label, net, rng):
    """95 % of the AUC when networks are drawn again; copies of a network stay together."""
    _, index = np.unique(net, return_inverse=True)
    nets = index.max() + 1
    above = score[label][:, None] > score[~label][None, :]
    wins = (above + 0.5 * (score[label][:, None] == score[~label][None, :])).astype(np.float32)
    side = np.zeros((nets, label.sum()), np.float32)
    side[index[label], np.arange(label.sum())] = 1
    other = np.zeros((nets, (~label).sum()), np.float32)
    other[index[~label], np.arange((~label).sum())] = 1
    table = side @ wins @ other.T
    weight = rng.multinomial(nets, np.full(nets, 1 / nets), SAMPLES)
    found = np.einsum("si,ij,sj->s", weight, table, weight, optimize=True)
    found = found / np.maximum((weight @ side.sum(axis=1)) * (weight @ other.sum(axis=1)), 1)
    return [float(q) for q in np.quantile(found, [0.025, 0.975])]


def to_ranks(train, values):
    """Each column as its place among the training values, from -1 to 1: no statistic can dominate by its scale."""
    out = np.empty(values.shape)
    for i in range(values.shape[1]):
        ordered = np.sort(train[:, i])
        places = np.searchsorted(ordered, values[:, i]) + np.searchsorted(ordered, values[:, i], "right")
        out[:, i] = places / len(ordered) - 1
    return out


def regress(x, label, penalty):
    """Weights of a logistic regression with an L2 penalty; both classes weigh the same."""
    x = np.column_stack([np.ones(len(x)), x])
    share = np.where(label, 0.5 / max(label.sum(), 1), 0.5 / max((~label).sum(), 1)) * len(label)
    w = np.zeros(x.shape[1])
    ridge = np.full(x.shape[1], penalty)
    ridge[0] = 1e-3
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (share * (p - label)) + ridge * w
        step = np.linalg.solve((x * (share * p * (1 - p))[:, None]).T @ x + np.diag(ridge), gradient)
        w -= step
        if np.abs(step).max() < 1e-4:
            break
    return w


def regression_score(train, label, fold, values):
    """Scores of values; the penalty is the one that serves best when the training folds are held out in turn."""
    strength = np.array([abs(auc(train[:, i], label) - 0.5) for i in range(train.shape[1])])
    kept = np.argsort(-strength)[:KEPT]

    def widen(x):
        return np.column_stack([x[:, kept], x[:, kept] ** 2])

    best = (-1, 0)
    for penalty in (1, 10, 100):
        score = np.zeros(len(label))
        for f in np.unique(fold):
            held = fold == f
            w = regress(widen(train[~held]), label[~held], penalty)
            score[held] = widen(train[held]) @ w[1:]
        best = max(best, (auc(score, label), penalty))
    w = regress(widen(train), label, best[1])
    return widen(values) @ w[1:] + w[0]


def held_out_scores(x, label, fold):
    """(score of the best single statistic, score of the regression, name index chosen in each fold)."""
    single, joint, chosen = np.zeros(len(label)), np.zeros(len(label)), []
    for f in np.unique(fold):
        held = fold == f
        train, values = to_ranks(x[~held], x[~held]), to_ranks(x[~held], x[held])
        areas = np.array([auc(train[:, i], label[~held]) for i in range(x.shape[1])]) - 0.5
        pick = int(np.abs(areas).argmax())
        chosen.append(pick)
        single[held] = values[:, pick] * np.sign(areas[pick])
        joint[held] = regression_score(train, label[~held], fold[~held], values)
    return single, joint, chosen


def summary(score, label, net, rng):
    return {"auc": auc(score, label), "interval": interval(score, label, net, rng),
            "tpr": float((score[label] > score[~label].max()).mean())}


def judge(x, names, label, net, fold, rng):
    """All that the table says of one type, at the level of files or of blocks."""
    single, joint, chosen = held_out_scores(x, label, fold)
    areas = [(names[i], auc(x[:, i], label)) for i in range(len(names))]
    often = [names[i] for i, _ in sorted(((i, chosen.count(i)) for i in set(chosen)), key=lambda each: -each[1])]
    return {"single": summary(single, label, net, rng), "joint": summary(joint, label, net, rng), "chosen": often,
            # In hindsight, on all networks: says what to look at, but is too good by the choice.
            "hindsight": sorted(areas, key=lambda each: -abs(each[1] - 0.5))[:6]}


def control(x, net, fold, rng, splits=20):
    """The same detectors, told that a random half of the unsealed networks is sealed: mean AUC, 95 % of it.

    It is half of each fold, as sealed and unsealed files are evenly spread in the real test. If it were half of all, a fold
    with more than its share would be judged by a detector that was trained on less, and the mean would lie below 0.5.
    """
    found = []
    for _ in range(splits):
        label = np.zeros(len(net), bool)
        for f in np.unique(fold):
            mixed = rng.permutation(np.flatnonzero(fold == f))
            label[mixed[int(rng.integers(2))::2]] = True
        _, joint, _ = held_out_scores(x, label, fold)
        found.append(auc(joint, label))
    deviation = 1.96 * np.std(found) / np.sqrt(splits)
    mean = float(np.mean(found))
    return {"auc": mean, "interval": [mean - float(deviation), mean + float(deviation)],
            "single split": [float(q) for q in np.quantile(found, [0.025, 0.975])]}


def folds_of(families, count=8):
    """A fold for each network, such that families are not split and folds are about equal."""
    sizes = {family: families.count(family) for family in families}
    load, fold = [0] * count, {}
    for family in sorted(sizes, key=lambda f: (-sizes[f], f)):
        fold[family] = int(np.argmin(load))
        load[fold[family]] += sizes[family]
    return np.array([fold[family] for family in families])

import Hashing
import RewardModeling

extension AccuracyReport {
    /// The report as one JSON object, keys sorted. Shares are objects of `share`, `matched`, `count`
    /// and the ends `low` and `high` of their 95 % interval; what could not be measured is null.
    package var json: String {
        PayloadValue.object([
            "model": .object([
                "directory": .string(directory), "digest": .string(modelDigest.hex),
            ]),
            "prompt_pack": .string(pack),
            "seed": .string("\(plan.seed)"),
            "split": .string("test"),
            "groups": .number(Double(plan.groups)),
            "lists": .number(Double(plan.lists)),
            "seconds": .number(seconds),
            "goals_met": .bool(missed.isEmpty),
            "goals": .array(checks.map(Self.json)),
            "tasks": .object(
                Dictionary(uniqueKeysWithValues: tasks.map { ($0.task.rawValue, Self.json($0)) })
            ),
        ]).json
    }

    private static func json(_ check: GoalCheck) -> PayloadValue {
        let (relation, limit) =
            switch check.bound {
            case .atLeast(let limit): ("at_least", limit)
            case .below(let limit): ("below", limit)
            case .atMost(let limit): ("at_most", limit)
            }
        return .object([
            "task": .string(check.task.rawValue), "measure": .string(check.measure.rawValue),
            "relation": .string(relation), "goal": .number(limit),
            "measured": number(check.measured), "met": .bool(check.isMet),
        ])
    }

    private static func json(_ task: TaskAccuracy) -> PayloadValue {
        .object([
            "pair_rank": json(task.pairs),
            "point_score": json(task.points),
            "build_pairs": .object([
                "emitted": json(task.lists.emitted), "accuracy": json(task.lists.right),
                "by_composition": json(task.lists.byComposition),
                "by_question": json(task.lists.byQuestion),
                "no_pair": .object(task.lists.noPair.mapValues { .number(Double($0)) }),
            ]),
            "generate": .object([
                "agreement": json(task.pairs.generateAgrees), "unparsed": json(task.unparsed),
                "point_score": json(task.generatedPoints),
            ]),
            "failed": json(task.failed),
            "failures": .object(
                task.failures.mapValues {
                    .object(["count": .number(Double($0.count)), "message": .string($0.message)])
                }
            ),
        ])
    }

    private static func json(_ pairs: PairAccuracy) -> PayloadValue {
        .object([
            "accuracy": json(pairs.right),
            "order_agreement": json(pairs.ordersAgree),
            "single_presentations": json(pairs.presentationsRight),
            "shown_first_wins": json(pairs.shownFirst),
            "ties": .number(Double(pairs.ties)),
            "by_margin": json(pairs.byMargin),
            "by_composition": json(pairs.byComposition),
            "by_question": json(pairs.byQuestion),
            "by_cause": json(pairs.byCause),
        ])
    }

    private static func json(_ points: PointAccuracy) -> PayloadValue {
        .object([
            "count": .number(Double(points.count)),
            "spearman": number(points.spearman),
            "mean_absolute_error": number(points.meanAbsoluteError),
            "by_grade": .object(
                points.byGrade.mapValues {
                    .object(["count": .number(Double($0.count)), "mean": number($0.mean)])
                }
            ),
            "error_by_composition": .object(points.errorByComposition.mapValues { .number($0) }),
        ])
    }

    private static func json(_ shares: [String: Proportion]) -> PayloadValue {
        .object(shares.mapValues(json))
    }

    private static func json(_ proportion: Proportion) -> PayloadValue {
        .object([
            "share": number(proportion.share),
            "matched": .number(Double(proportion.matched)),
            "count": .number(Double(proportion.count)),
            "low": number(proportion.interval?.lowerBound),
            "high": number(proportion.interval?.upperBound),
        ])
    }

    private static func number(_ value: Double?) -> PayloadValue {
        value.map { .number($0) } ?? .null
    }
}

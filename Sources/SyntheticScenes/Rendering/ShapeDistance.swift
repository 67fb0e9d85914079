/// Signed distances from the outlines of shapes whose extent is 1, middle at the origin, y down:
/// negative inside. Exact operations only, so that every machine gives the same bits.
enum ShapeDistance {
    static func distance(_ shape: SceneShape, x: Double, y: Double) -> Double {
        switch shape {
        case .circle: length(x, y) - 0.5
        case .ring: (length(x, y) - 0.365).magnitude - 0.135
        case .square: box(x, y, 0.45, 0.45)
        case .cross: min(box(x, y, 0.5, 0.165), box(x, y, 0.165, 0.5))
        case .triangle: polygon(trianglePoints, x, y)
        }
    }

    private static func length(_ x: Double, _ y: Double) -> Double {
        (x * x + y * y).squareRoot()
    }

    private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> Double {
        let across = x.magnitude - width
        let down = y.magnitude - height
        return length(max(across, 0), max(down, 0)) + min(max(across, down), 0)
    }

    /// Distance to the nearest edge, its sign by counting the edges that a ray crosses.
    private static func polygon(_ points: [(Double, Double)], _ x: Double, _ y: Double) -> Double {
        var nearest = Double.infinity
        var isInside = false
        var from = points[points.count - 1]
        for to in points {
            let (edgeX, edgeY) = (to.0 - from.0, to.1 - from.1)
            let (offsetX, offsetY) = (x - from.0, y - from.1)
            let along = (offsetX * edgeX + offsetY * edgeY) / (edgeX * edgeX + edgeY * edgeY)
            let share = max(0, min(1, along))
            let (missX, missY) = (offsetX - edgeX * share, offsetY - edgeY * share)
            nearest = min(nearest, missX * missX + missY * missY)
            if (from.1 > y) != (to.1 > y), x < from.0 + (y - from.1) / edgeY * edgeX {
                isInside.toggle()
            }
            from = to
        }
        return isInside ? -nearest.squareRoot() : nearest.squareRoot()
    }

    /// Equal sides, on the circle of radius 0.58.
    private static let trianglePoints: [(Double, Double)] = [
        (0, -0.58), (0.502294734194974, 0.29), (-0.502294734194974, 0.29),
    ]
}

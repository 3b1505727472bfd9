using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Adam with Nesterov momentum in Keras's kind, as beeFormer was published with: momentum μ_t = β₁ (1 − 0.5 · 0.96^t), ε outside the root. <c>lr</c> means the learning rate;
/// the published code registers every weight three times, so its lr acts as three times this one.
/// </summary>
internal sealed partial class NAdam(IReadOnlyList<Tensor> weights) : IDisposable
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-7;

    private static readonly Scalar Keep1 = Beta1.ToScalar(), Add1 = (1 - Beta1).ToScalar(), Keep2 = Beta2.ToScalar(), Add2 = (1 - Beta2).ToScalar(), Small = Epsilon.ToScalar(), One = 1.ToScalar();

    private readonly Tensor[] _m = [.. weights.Select(w => zeros_like(w, requires_grad: false).DetachFromDisposeScope())];
    private readonly Tensor[] _v = [.. weights.Select(w => zeros_like(w, requires_grad: false).DetachFromDisposeScope())];
    private int _t;
    private double _momentumProduct = 1;

    /// <summary>Moves the weights against their gradients and clears these. A weight without gradient stays.</summary>
    /// <param name="maxNorm">Gradients are scaled down to this norm over all weights together; 0: never.</param>
    public void Step(double lr, double maxNorm = 0)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        _t++;
        double momentum = Momentum(_t), next = Momentum(_t + 1);
        _momentumProduct *= momentum;
        double clip = maxNorm > 0 ? Math.Min(1, maxNorm / (GradientNorm() + 1e-12)) : 1;

        using Scalar scale = clip.ToScalar(), minusRate = (-lr).ToScalar(), vCorrection = (1 - Math.Pow(Beta2, _t)).ToScalar();
        using Scalar ofMomentum = (next / (1 - _momentumProduct * next)).ToScalar(), ofGradient = ((1 - momentum) / (1 - _momentumProduct)).ToScalar();
        for (int n = 0; n < weights.Count; n++)
        {
            if (weights[n].grad is not { } gradient) continue;
            Tensor g = clip < 1 ? gradient * scale : gradient;
            _m[n].mul_(Keep1).add_(g, Add1);
            _v[n].mul_(Keep2).addcmul_(g, g, Add2);
            using Tensor m = (_m[n] * ofMomentum).add_(g, ofGradient), v = (_v[n] / vCorrection).sqrt_().add_(Small, One);
            weights[n].addcdiv_(m, v, minusRate);
            gradient.zero_();
            if (clip < 1) g.Dispose();
        }
    }

    private static double Momentum(int t) => Beta1 * (1 - 0.5 * Math.Pow(0.96, t));

    private double GradientNorm()
    {
        double squares = 0;
        foreach (Tensor weight in weights)
            if (weight.grad is { } gradient) squares += (gradient * gradient).sum().cpu().data<float>()[0];
        return Math.Sqrt(squares);
    }

    public void Dispose()
    {
        foreach (Tensor tensor in _m.Concat(_v)) tensor.Dispose();
    }
}

"""Second stage of recommendation: a learned ranker reorders the candidates that the two towers retrieve.

    user_state, ctr, item_features, features    features of a (user, candidate) pair, the same in training and serving
    network, calibration, ranker                the fitted ranker in numpy: scores, probabilities, explanations
    training_data, torch_network, fitting       lists and impressions of the validation part, and the fit with torch
    train, quality                              the training as a whole, and its metrics on held-out users
    scorer                                      both stages as a scorer for evaluation

See docs/ranking.md.
"""

"""Robustness evaluation: promotion attacks through changed pictures, and common corruptions.

plan.py         which attacks and corruptions (variants) are measured
promotion.py    the attack: target items, users, projected gradient descent on their main pictures
pictures.py     item vectors as a function of main pictures
corruptions.py  JPEG, blur, noise, brightness
similarity.py   PSNR and SSIM
variants.py     one variant: change pictures, encode them, measure the users' lists
summary.py      means and paired changes of all variants
"""
